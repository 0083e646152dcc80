import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseCsv } from '../src/formats/csv.ts'
import { writeNpz } from '../src/formats/npz.ts'
import { encodePickle } from '../src/formats/testing/write-pickle.ts'
import { readVolume, writeVolume } from '../src/formats/volume-file.ts'
import { marginal } from '../src/noise/marginal.ts'
import { labelMapOf } from '../src/volume/labels.ts'
import type { Volume } from '../src/volume/volume.ts'
import { expectRefusal, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'

const root = temporaryFolder()
const at = (...parts: string[]) => join(root, ...parts)
const dataset = at('Dataset001_Phantom')
const ids = Array.from({ length: 6 }, (_, i) => `phantom_00${i}`)
const foldOf = (id: string) => ids.indexOf(id) % 2

/** Files of a case as nnU-Net's validation leaves them: softmax in z, y, x, and the properties of SimpleITK. */
async function writeAsNnunet(folder: string, id: string, { grid }: Volume, maps: readonly Float32Array[]) {
  mkdirSync(folder, { recursive: true })
  const rest = Float32Array.from(maps[0], (_, i) => 1 - maps.reduce((sum, map) => sum + map[i], 0))
  const shape = [maps.length + 1, ...grid.shape.toReversed()]
  const data = Float32Array.from([rest, ...maps].flatMap((map) => [...map]))
  await writeNpz(join(folder, `${id}.npz`), { probabilities: { shape, data } })
  // SimpleITK's world is LPS.
  const lps = (x: number, axis: number) => (axis < 2 ? -x : x)
  const geometry = {
    spacing: [...grid.spacing],
    origin: grid.origin.map(lps),
    direction: grid.direction.map((x, n) => lps(x, Math.floor(n / 3))),
  }
  const pickle = encodePickle({ sitk_stuff: geometry, spacing: grid.spacing.toReversed() })
  writeFileSync(join(folder, `${id}.pkl`), pickle)
}

/** The exact marginals of a case's clean labels, which no network gives: so the scores are known. */
async function predict(sigma: number, labels: readonly number[], folder: (fold: number) => string, only = ids) {
  for (const id of only) {
    const volume = await readVolume(join(dataset, 'labelsTr', `${id}.nii.gz`))
    const { values } = labelMapOf(volume, id)
    const maps = labels.map((label) => marginal(values, volume.grid, label, { sigmaMm: [sigma, sigma, sigma] }))
    await writeAsNnunet(folder(foldOf(id)), id, volume, maps)
  }
}

const config = (more: string, organs = 'liver, aorta') => `name: elsewhere
data: {kind: nnunet, folder: Dataset001_Phantom}
organs: [${organs}]
folds: 2
noise: {sigma: [6, 12]}
bootstrap: 200
${more}`

const separate = `networks:
  predictions:
    cross-entropy: ce/{organ}_{sigma}/fold_{fold}/validation
    soft-dice: ce/{organ}_{sigma}/fold_{fold}/validation
`

test("a study of nnU-Net's networks: one a class, folds as its own, the maps it left", {
  timeout: 120_000,
}, async () => {
  expect((await halfdice(['phantom', '-o', dataset, '-n', '6', '--spacing', '12'])).code).toBe(0)
  const { labels } = JSON.parse(readFileSync(join(dataset, 'dataset.json'), 'utf8')) as {
    labels: Record<string, number>
  }
  for (const sigma of [6, 12]) {
    for (const organ of ['liver', 'aorta']) {
      const model = at('ce', `${organ}_${sigma}`)
      await predict(sigma, [labels[organ]], (fold) => join(model, `fold_${fold}`, 'validation'))
      writeFileSync(join(model, 'dataset.json'), JSON.stringify({ labels: { background: 0, [organ]: 1 } }))
    }
  }
  writeFileSync(at('study.yaml'), config(separate))
  const result = await halfdiceJson<{ done: number; total: number; verdict: string[] }>([
    'study',
    at('study.yaml'),
    '-o',
    at('out'),
  ])
  // Two organs, two strengths: theory, and two folds of two losses.
  expect(result).toMatchObject({ done: 20, total: 20 })
  const rows = parseCsv(readFileSync(at('out', 'results.csv'), 'utf8'))
  const row = (method: string, id: string, organ: string, sigma: string) =>
    rows.find((one) => one.method === method && one.case === id && one.organ === organ && one.sigma_mm === sigma)
  for (const id of ids) {
    for (const organ of ['liver', 'aorta']) {
      for (const sigma of ['6', '12']) {
        const scores = (method: string) => {
          const found = row(method, id, organ, sigma)
          return ['dice_noisy', 'dice_clean', 'volume_ratio'].map((key) => Number(found?.[key]))
        }
        // These networks are perfect: they score what theory forecasts, at every cut that both have.
        for (const [method, same] of [
          ['ce@half', 'theory@half'],
          ['soft-dice@half', 'theory@half'],
          ['ce@case', 'theory@case'],
        ]) {
          for (const [i, value] of scores(method).entries()) expect(value).toBeCloseTo(scores(same)[i], 3)
        }
        expect(row('ce@half', id, organ, sigma)?.fold).toBe(String(foldOf(id)))
      }
    }
  }
  expect(rows.some(({ method }) => method === 'ce@dataset')).toBe(false)
  expect(rows.some(({ method }) => method === 'ce@calibrated')).toBe(true)
  const html = readFileSync(at('out', 'report.html'), 'utf8')
  expect(html).toContain('16 networks trained elsewhere and known by their predictions')
  expect(html).toContain('2-fold cross-validation')
  expect(html).not.toMatch(/NaN|undefined|\[object|Training<\/h2>/)
  // Rebuilt without the data, and nothing is scored twice.
  expect((await halfdice(['study', 'report', at('out')])).code).toBe(0)
})

test('one network of several classes, images in one folder, a union of classes', { timeout: 120_000 }, async () => {
  const { labels } = JSON.parse(readFileSync(join(dataset, 'dataset.json'), 'utf8')) as {
    labels: Record<string, number>
  }
  const both = ['liver', 'aorta'].map((organ) => labels[organ])
  for (const id of ids) {
    const volume = await readVolume(join(dataset, 'labelsTr', `${id}.nii.gz`))
    const { values } = labelMapOf(volume, id)
    const maps = both.map((label) => marginal(values, volume.grid, label, { sigmaMm: [6, 6, 6] }))
    const rest = Float32Array.from(maps[0], (p, i) => 1 - p - maps[1][i])
    mkdirSync(at('joint'), { recursive: true })
    const data = Float32Array.from([...rest, ...maps[0], ...maps[1]])
    await writeVolume(at('joint', `${id}.nii.gz`), { grid: volume.grid, channels: 3, data })
  }
  const networks = `networks:
  classes: background,liver=${both[0]},aorta=${both[1]}
  decode: exclusive
  predictions: {cross-entropy: joint}
joint: true
`
  writeFileSync(at('joint.yaml'), config(networks, 'liver, liver+aorta').replace('[6, 12]', '[6]'))
  await halfdiceJson(['study', at('joint.yaml'), '-o', at('joint-out')])
  const rows = parseCsv(readFileSync(at('joint-out', 'results.csv'), 'utf8'))
  for (const id of ids) {
    const of = (method: string) =>
      rows.find((row) => row.method === method && row.case === id && row.organ === 'liver+aorta')
    // Apart, both organs add up to their union.
    expect(Number(of('ce@case')?.dice_noisy)).toBeCloseTo(Number(of('theory@case')?.dice_noisy), 2)
    expect(of('ce@case')?.fold).toBe('0')
  }
})

describe('bad input', () => {
  const refused = async (change: () => void, says: string | RegExp, more = separate) => {
    const folder = at('bad')
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    for (const name of ['ce', 'Dataset001_Phantom']) cpSync(at(name), join(folder, name), { recursive: true })
    writeFileSync(join(folder, 'study.yaml'), config(more))
    change()
    // Quiet: of two networks at once one may be done, and said to be, before the other fails.
    const outcome = await halfdice(['study', join(folder, 'study.yaml'), '-o', join(folder, 'out'), '-q'])
    expectRefusal(outcome, says)
  }
  const fold = (organ: string, n: number) => at('bad', 'ce', `${organ}_6`, `fold_${n}`, 'validation')
  const move = (id: string, from: string, to: string) => {
    for (const end of ['npz', 'pkl']) renameSync(join(from, `${id}.${end}`), join(to, `${id}.${end}`))
  }

  test.each([
    [
      'a fold without its folder',
      () => rmSync(fold('liver', 1), { recursive: true }),
      /fold_1\/validation: no such file/,
    ],
    [
      'a case in two folds',
      () => {
        for (const end of ['npz', 'pkl']) {
          cpSync(join(fold('liver', 0), `phantom_000.${end}`), join(fold('liver', 1), `phantom_000.${end}`))
        }
      },
      'the case phantom_000 lies in folds 0 and 1; folds must not overlap',
    ],
    [
      'a case without a prediction',
      () => rmSync(join(fold('aorta', 0), 'phantom_002.npz')),
      'no prediction of phantom_002 for aorta with cross-entropy; predict it, or leave it out',
    ],
    [
      'folds that differ between strengths',
      () => move('phantom_003', fold('liver', 1), fold('liver', 0)),
      'the case phantom_003 lies in fold 1 here and in fold 0 of other networks',
    ],
  ])('%s', async (_, change, says) => refused(change, says))

  test('another grid, another class, a loss without networks', async () => {
    const path = () => join(fold('liver', 0), 'phantom_000.npz')
    const small = { probabilities: { shape: [2, 2, 2, 2], data: new Float32Array(16).fill(0.5) } }
    await writeNpz(at('small.npz'), small)
    await refused(() => cpSync(at('small.npz'), path()), /phantom_000\.npz: .*grid/)
    const joint = separate.replaceAll('{organ}_{sigma}', 'liver_6')
    await refused(
      () => undefined,
      /phantom_\d+\.npz: has no map of aorta \(labels \d+\), only of liver/,
      `${joint}joint: true\n`,
    )
    await refused(
      () => undefined,
      'has no predictions of dice+cross-entropy, which losses names',
      `losses: [cross-entropy, dice+cross-entropy]\n${separate}`,
    )
    await refused(
      () => undefined,
      /networks' names no predictions|networks names no predictions/,
      'networks: {predictions: {}}\n',
    )
  })

  test('images of one patient in two folds', async () => {
    const patient = 'patient: ^(phantom)'
    const change = () => {
      const text = readFileSync(at('bad', 'study.yaml'), 'utf8')
      writeFileSync(
        at('bad', 'study.yaml'),
        text.replace('folder: Dataset001_Phantom', `folder: Dataset001_Phantom, ${patient}`),
      )
    }
    await refused(change, 'folds 0 and 1 of liver share patient phantom')
    expect(readdirSync(at('bad')).includes('out')).toBe(true)
  })
})
