import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readVolume } from '../src/formats/volume-file.ts'
import { expectRefusal, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'
import { obliqueGrid, softBall, twoBalls, writeImage } from './support/images.ts'

interface Evaluation {
  labels: Record<string, { name?: string; dice: number; hd95Mm: number; softDice?: number }>
}

const folder = temporaryFolder()
const at = (...parts: string[]) => join(folder, ...parts)
const labels = twoBalls()
const input = at('two.nii.gz')
const { shape } = obliqueGrid
const inSlices = (from: number) => (_: unknown, i: number) => i >= from * shape[0] * shape[1]

beforeAll(() => writeImage(input, labels))

describe('an image of intensities in place of labels', () => {
  const ct = at('ct.nii.gz')
  const shifted = at('shifted.nii.gz')
  beforeAll(() => {
    const hu = Int16Array.from(labels, (_, i) => ((i * 7919) % 3000) - 1000)
    writeImage(ct, hu)
    writeImage(
      shifted,
      hu.map((value) => value + 1000),
    )
  })
  test.each([
    ['sample', (path: string) => ['sample', path, '-o', at('never'), '--sigma', '2', '--length', '8']],
    ['marginal', (path: string) => ['marginal', path, '-o', at('never.nii'), '--sigma', '2']],
    ['optimum', (path: string) => ['optimum', path, '--sigma', '2']],
    ['evaluate', (path: string) => ['evaluate', input, path]],
    ['evaluate (prediction)', (path: string) => ['evaluate', path, input]],
  ])('%s refuses it by name', async (_, args) => {
    expectRefusal(await halfdice(args(ct)), /ct\.nii\.gz: holds -?\d+, and a label is a whole number from 0 to 65535/)
    expectRefusal(await halfdice(args(shifted)), 'shifted.nii.gz: holds more than 1024 different numbers')
  })
})

describe('--labels', () => {
  test('takes names and numbers, with spaces or commas, before or after the file', async () => {
    const data = at('Dataset1')
    mkdirSync(join(data, 'labelsTr'), { recursive: true })
    const path = writeImage(join(data, 'labelsTr/a.nii.gz'), labels)
    writeFileSync(join(data, 'dataset.json'), JSON.stringify({ labels: { background: 0, left: 1, right: 2 } }))
    const rows = async (...args: string[]) =>
      (await halfdiceJson<{ rows: { label: number; name: string }[] }>(['optimum', ...args])).rows.map(
        ({ label, name }) => `${label} ${name}`,
      )
    expect(await rows(path, '--sigma', '2', '--labels', 'right')).toEqual(['2 right'])
    expect(await rows('--sigma', '2', path, '--labels', '2,left')).toEqual(['2 right', '1 left'])
    expect(await rows('--sigma', '2', '--labels', '1', '2', path)).toEqual(['1 left', '2 right'])
    expect(await rows(path, '--sigma', '2', '--label', '1')).toEqual(['1 left'])
    const { labels: scores } = await halfdiceJson<Evaluation>(['evaluate', path, path, '--labels', 'left + right', '2'])
    expect(scores).toMatchObject({ '1+2': { name: 'left + right', dice: 1 }, '2': { name: 'right', dice: 1 } })
    expectRefusal(await halfdice(['evaluate', path, path, '--labels', 'liver']), "--labels: 'liver' is neither")
    const sampled = ['sample', path, '-o', at('drawn'), '--sigma', '2', '--length', '8', '--labels', 'right']
    const { samples } = await halfdiceJson<{ samples: { labels: object }[] }>(sampled)
    expect(Object.keys(samples[0].labels)).toEqual(['2'])
  })
})

describe('voxels of the label ignore', () => {
  const refs = at('data', 'labelsTs')
  const probabilities = softBall(obliqueGrid, 6, 4)
  const prediction = Uint8Array.from(probabilities, (p) => Number(p >= 0.5))
  // Right wherever it was annotated: the upper half was not.
  const reference = prediction.map((label, i) => (inSlices(8)(label, i) ? 3 : label))
  beforeAll(() => {
    mkdirSync(refs, { recursive: true })
    mkdirSync(at('maps'))
    for (const name of ['a', 'b']) {
      writeImage(join(refs, `${name}.nii.gz`), reference)
      writeImage(at('maps', `${name}.nii.gz`), probabilities)
    }
    writeImage(at('mask.nii.gz'), prediction)
    writeFileSync(at('data', 'dataset.json'), JSON.stringify({ labels: { background: 0, organ: 1, ignore: 3 } }))
  })

  test('count in no score of evaluate', async () => {
    const { labels } = await halfdiceJson<Evaluation>(['evaluate', at('mask.nii.gz'), join(refs, 'a.nii.gz')])
    expect(labels).toEqual({ '1': expect.objectContaining({ name: 'organ', dice: 1, hd95Mm: 0, assdMm: 0, hdMm: 0 }) })
    expectRefusal(
      await halfdice(['evaluate', at('mask.nii.gz'), join(refs, 'a.nii.gz'), '--labels', 'ignore']),
      'marks voxels that nobody has annotated',
    )
  })

  test('count in no comparison of threshold', async () => {
    const args = ['threshold', at('maps'), '-o', at('out'), '--references', refs, '--report', at('r.html')]
    const result = await halfdiceJson<{ references: { classes: { meanDice: { half: { value: number } } }[] } }>(args)
    expect(result.references.classes[0].meanDice.half.value).toBe(1)
    const [head, row] = readFileSync(at('r.csv'), 'utf8').split('\n')
    expect(row.split(',')[head.split(',').indexOf('referenceDiceAtHalf')]).toBe('1')
    // The Dice of the mask as written, by hand, over the annotated half.
    const written = (await readVolume(at('out', 'a.nii.gz'))).data
    let [both, sizes] = [0, 0]
    for (let i = 0; i < 8 * shape[0] * shape[1]; i++) {
      both += written[i] & reference[i]
      sizes += written[i] + reference[i]
    }
    expect(both).toBeGreaterThan(0)
    expect(Number(row.split(',')[head.split(',').indexOf('referenceDice')])).toBeCloseTo((2 * both) / sizes, 12)
  })

  test('a damaged dataset.json is refused: they would be scored', async () => {
    mkdirSync(at('damaged'))
    const path = writeImage(at('damaged', 'a.nii.gz'), reference)
    writeFileSync(at('damaged', 'dataset.json'), '{"labels": {"organ": 1, "ignore": 1.5}}')
    const refused = await halfdice(['evaluate', at('mask.nii.gz'), path])
    expectRefusal(refused, "dataset.json: label 'ignore' is 1.5")
    const args = ['threshold', at('maps', 'a.nii.gz'), '-o', at('o.nii.gz'), '--references', at('damaged'), '--json']
    expectRefusal(await halfdice(args), "dataset.json: label 'ignore' is 1.5")
  })

  test.each([
    ['0 and 255', (label: number) => 255 * label, / holds 0 and 255 only: 255 is read as foreground \(label 1\)\n$/, 1],
    ['another label', (label: number) => 7 * label, / holds label 7, which stands for no class and counts as back/, 0],
  ])('references with %s are named once', async (what, stored, message, dice) => {
    const refs = at(what)
    mkdirSync(refs)
    for (const name of ['a', 'b']) writeImage(join(refs, `${name}.nii.gz`), prediction.map(stored))
    const args = ['threshold', at('maps'), '-o', at(`${what} out`), '--references', refs, '--json']
    const { code, stdout, stderr } = await halfdice(args)
    expect(code).toBe(0)
    expect(stderr).toMatch(message)
    expect(stderr.match(/holds/g)).toHaveLength(1)
    expect(JSON.parse(stdout).references.classes[0].meanDice.half.value).toBe(dice)
  })

  test.each([-1, 70_000])('references with %s are refused', async (value) => {
    const refs = at(`refs${value}`)
    mkdirSync(refs)
    writeImage(
      join(refs, 'a.nii.gz'),
      Int32Array.from(prediction, (label) => value * label),
    )
    const args = ['threshold', at('maps', 'a.nii.gz'), '-o', at('o.nii.gz'), '--references', refs, '--json']
    expectRefusal(await halfdice(args), `a.nii.gz: holds ${value}, and a label is a whole number from 0 to 65535`)
  })
})

test('the masks of a 4-D threshold are evaluated as masks', async () => {
  const maps = [softBall(obliqueGrid, 6, 4), softBall(obliqueGrid, 3, 2)]
  const path = writeImage(at('maps4d.nii.gz'), Float32Array.from(maps.flatMap((map) => [...map])), obliqueGrid, {
    channels: 2,
  })
  expect((await halfdice(['threshold', path, '-o', at('masks4d.nii.gz'), '--at', '0.5'])).code).toBe(0)
  const truth = maps[0].map((p, i) => (maps[1][i] >= 0.5 ? 2 : p >= 0.5 ? 1 : 0))
  const reference = writeImage(at('nested.nii.gz'), Uint8Array.from(truth))
  const { labels } = await halfdiceJson<Evaluation>([
    'evaluate',
    at('masks4d.nii.gz'),
    reference,
    '--labels',
    '1+2',
    '2',
  ])
  expect(labels).toMatchObject({ '1+2': { dice: 1 }, '2': { dice: 1 } })
  expect(labels['2'].softDice).toBeUndefined()
})
