import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { decodeNpy, encodeNpy } from '../src/formats/npy.ts'
import { readVolume } from '../src/formats/volume-file.ts'
import { calibrated } from '../src/metrics/beta-calibration.ts'
import { createGrid } from '../src/volume/grid.ts'
import { randomStream } from '../src/volume/random.ts'
import {
  expectRefusal,
  halfdice,
  halfdiceJson,
  hasSharedData,
  inProcess,
  sharedData,
  temporaryFolder,
} from './support/halfdice.ts'
import { distanceMm, writeImage } from './support/images.ts'
import { attribute, elements, readPage, tableOf } from './support/page.ts'

interface Tuned {
  output: string
  choices: {
    label: string
    rule: string
    at?: number
    meanDice: number
    diceAtHalf: number
    gain: { mean: number; low: number; high: number }
    patients: number
  }[]
  cases: string[]
  failed?: object[]
}
interface Masks {
  cases: { output: string; threshold: number; volumeHalfMl: number; diceAtHalf: number; volumeMl: number }[]
}

const folder = temporaryFolder()
const at = (...parts: string[]) => join(folder, ...parts)
const grid = createGrid([16, 14, 12])

/** A case whose network says too little of the probabilities that its label was drawn with. */
function write(i: number, maps: string): void {
  const random = randomStream(5, i)
  const truth = distanceMm(grid, [8, 7, 6]).map((d) => 0.95 / (1 + Math.exp((d - 4 - (i % 3) / 2) * 1.2)))
  writeImage(
    at('refs', `p${i}_t1.nii.gz`),
    Uint8Array.from(truth, (p) => Number(random.uniform() < p)),
    grid,
  )
  const said = Float32Array.from(truth, (p) => calibrated({ a: 1, b: 1, c: -3 }, p))
  writeImage(at(maps, `p${i}_t1.nii.gz`), said, grid)
}

beforeAll(() => {
  for (const name of ['maps', 'new', 'refs']) mkdirSync(at(name))
  for (let i = 0; i < 12; i++) write(i, 'maps')
  for (let i = 12; i < 18; i++) write(i, 'new')
})

test('what is tuned on some cases is applied to others, and gains what it promised', async () => {
  const { choices, cases } = await halfdiceJson<Tuned>(['tune', at('maps'), at('refs'), '-o', at('out', 'tuned.json')])
  const [{ rule, gain, meanDice, diceAtHalf, patients }] = choices
  expect([cases.length, patients]).toEqual([12, 12])
  expect(rule).toMatch(/^cut at .*(threshold|calibration)/)
  expect(meanDice - diceAtHalf).toBeCloseTo(gain.mean, 12)
  expect(gain.low).toBeGreaterThan(0.3)
  const file = JSON.parse(readFileSync(at('out', 'tuned.json'), 'utf8'))
  expect(file).toMatchObject({ halfdice: 'tuned', version: 1, kind: 'separate', classes: [{ rule, cases: 12 }] })
  const masks = await halfdiceJson<Masks>([
    'threshold',
    at('new'),
    '-o',
    at('masks'),
    '--tuned',
    at('out', 'tuned.json'),
  ])
  expect(masks.cases).toHaveLength(6)
  await halfdiceJson<Masks>(['threshold', at('new'), '-o', at('half'), '--at', '0.5'])
  const args = ['evaluate', at('masks'), at('refs'), '--versus', at('half'), '-q']
  const { versus } = await halfdiceJson<{
    versus: { differences: Record<string, { dice: { difference: { value: number } } }> }
  }>(args)
  const realised = versus.differences['1'].dice.difference.value
  expect(Math.abs(realised - gain.mean)).toBeLessThan(0.1)
})

test('a calibrated rule cuts the calibrated map at its own t*', async () => {
  const file = JSON.parse(readFileSync(at('out', 'tuned.json'), 'utf8'))
  const calibration = { a: 1, b: 1, c: 3 }
  const { at: _, postProcessing: _p, ...own } = file.classes[0]
  writeFileSync(at('beta.json'), JSON.stringify({ ...file, classes: [{ ...own, cut: 'beta', calibration }] }))
  const input = at('new', 'p12_t1.nii.gz')
  const args = ['threshold', input, '-o', at('beta.nii.gz'), '--tuned', at('beta.json')]
  const [told] = (await halfdiceJson<Masks>(args)).cases
  const { data } = await readVolume(input)
  const mended = Float32Array.from(data, (p) => calibrated(calibration, p))
  writeImage(at('mended.nii.gz'), mended, grid)
  await halfdiceJson<Masks>(['threshold', at('mended.nii.gz'), '-o', at('own.nii.gz')])
  expect((await readVolume(at('beta.nii.gz'))).data).toEqual((await readVolume(at('own.nii.gz'))).data)
  // What is told of the cut at ½ is told of the map as it was given.
  const above = [...data.keys()].filter((v) => data[v] >= 0.5)
  const [inside, all] = [above.reduce((sum, v) => sum + mended[v], 0), mended.reduce((a, b) => a + b, 0)]
  expect(told.volumeHalfMl).toBeCloseTo(above.length / 1000, 9)
  expect(told.diceAtHalf).toBeCloseTo((2 * inside) / (above.length + all), 5)
})

test.skipIf(inProcess)('an array on standard input is cut as tuned, too', async () => {
  const { data } = await readVolume(at('new', 'p12_t1.nii.gz'))
  const npy = encodeNpy({ shape: [12, 14, 16], data: data as Float32Array })
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
  const args = [main, 'threshold', '--stdin-npy', '-o', '-', '--tuned', at('beta.json')]
  const { data: mask } = decodeNpy(execFileSync(process.execPath, args, { input: npy }), 'stdout')
  expect([...mask]).toEqual([...(await readVolume(at('beta.nii.gz'))).data])
})

test('where ½ stays for all of the classes that exclude each other, the argmax is written', async () => {
  const small = createGrid([2, 1, 1])
  const maps = Float32Array.of(0.4, 0.2, 0.35, 0.45, 0.25, 0.35)
  writeImage(at('soft.nii.gz'), maps, small, { channels: 3 })
  const file = JSON.parse(readFileSync(at('out', 'tuned.json'), 'utf8'))
  const [{ calibration: _, smallestMm3: _s, postProcessing: _p, ...own }] = file.classes
  const classes = [1, 2].map((label) => ({ ...own, name: `class ${label}`, labels: [label], cut: 'half', at: 0.5 }))
  writeFileSync(at('halves.json'), JSON.stringify({ ...file, kind: 'exclusive', background: true, classes }))
  const args = ['--tuned', at('halves.json'), '--decode', 'exclusive']
  await halfdiceJson<Masks>(['threshold', at('soft.nii.gz'), '-o', at('argmax.nii.gz'), ...args])
  expect([...(await readVolume(at('argmax.nii.gz'))).data]).toEqual([0, 1])
})

describe('post-processing', () => {
  /** A ball that the network finds, and an echo of it that it finds too, smaller; in one case the ball alone. */
  const echoed = (i: number, echo: number) => {
    const random = randomStream(6, i)
    const [ball, other] = [distanceMm(grid, [5, 6, 6]), distanceMm(grid, [13, 11, 9])]
    const map = Float32Array.from(ball, (d, v) => (d < 4 + (i % 3) / 2 || other[v] < echo ? 0.9 : 0.05))
    const label = Uint8Array.from(ball, (d) => Number(d < 4 + (i % 3) / 2 && random.uniform() < 0.97))
    return { map, label }
  }

  test('that is better is chosen, and done to the masks of new cases', async () => {
    for (const name of ['echo', 'echo-refs']) mkdirSync(at(name))
    for (let i = 0; i < 10; i++) {
      const { map, label } = echoed(i, 2 + (i % 2) / 2)
      writeImage(at('echo', `e${i}.nii.gz`), map, grid)
      writeImage(at('echo-refs', `e${i}.nii.gz`), label, grid)
    }
    const args = ['tune', at('echo'), at('echo-refs'), '-o', at('echo.json'), '--report', at('pages', 'echo.html')]
    const { choices } = await halfdiceJson<Tuned>(args)
    expect(choices[0].rule).toBe('cut at 1/2, largest component only')
    expect(choices[0].gain.low).toBeGreaterThan(0.02)
    const { map } = echoed(11, 2.5)
    writeImage(at('echo-new.nii.gz'), map, grid)
    const cut = ['threshold', at('echo-new.nii.gz'), '-o', at('echo-mask.nii.gz'), '--tuned', at('echo.json')]
    const { cases } = await halfdiceJson<Masks>(cut)
    const { data } = await readVolume(at('echo-mask.nii.gz'))
    const expected = Uint8Array.from(distanceMm(grid, [5, 6, 6]), (d) => Number(d < 5))
    expect([...data]).toEqual([...expected])
    const volume = expected.reduce((a, b) => a + b, 0)
    expect(cases[0].volumeMl).toBeCloseTo(volume / 1000, 12)
    const { stdout } = await halfdice(cut)
    expect(stdout).toMatch(/as tuned \(foreground: cut at 1\/2, largest component only\)/)
  })

  test('the page holds together, and says what the table says', () => {
    const { page, faults } = readPage(readFileSync(at('pages', 'echo.html'), 'utf8'))
    expect(faults).toEqual([])
    const [header, row] = tableOf(page, 'chosen')
    expect(header).toEqual([
      'class',
      'rule',
      'Dice at ½',
      'tuned',
      'gain to expect',
      '95 %',
      'as many new patients, 95 %',
    ])
    expect(row.slice(0, 2)).toEqual(['foreground', 'cut at 1/2, largest component only'])
    const tried = tableOf(page, 'tried-foreground')
    expect(tried.map((cells) => cells.at(-1)).filter((cell) => cell === 'chosen')).toHaveLength(1)
    expect(elements(page, 'svg').filter((svg) => attribute(svg, 'role') === 'img')).toHaveLength(2)
  })
})

test('files and pages do not depend on --threads', async () => {
  const written = async (threads: number) => {
    const out = (name: string) => at(`threads-${threads}`, name)
    const args = ['tune', at('maps'), at('refs'), '-o', out('t.json'), '--report', out('t.html')]
    await halfdiceJson<Tuned>([...args, '--threads', String(threads)])
    return [out('t.json'), out('t.html')].map((file) => readFileSync(file, 'utf8').replaceAll(`threads-${threads}`, ''))
  }
  expect(await written(3)).toEqual(await written(1))
})

test('scores of cases that were tuned on are warned of', async () => {
  const tuned = ['--tuned', at('out', 'tuned.json')]
  const { stderr } = await halfdice([
    ...['threshold', at('maps'), '-o', at('again'), ...tuned, '--references', at('refs'), '--json'],
  ])
  expect(stderr).toMatch(/was tuned on p0_t1, p10_t1, p11_t1 and 9 others too, or on cases of these patients; scores/)
})

test('patients are known again by the expression that they were found by, with or without references', async () => {
  const own = at('out', 'patients.json')
  await halfdiceJson(['tune', at('maps'), at('refs'), '-o', own, '--patients', '^(p[0-9]+)_'])
  mkdirSync(at('later'))
  for (const name of ['p3_later', 'p77_later', 'other']) {
    symlinkSync(at('new', 'p12_t1.nii.gz'), at('later', `${name}.nii.gz`))
  }
  const { code, stderr } = await halfdice(['threshold', at('later'), '-o', at('late'), '--tuned', own, '--json'])
  expect(stderr).toMatch(/^halfdice: warning: .*patients.json was tuned on p3_later too, or on cases/)
  expect(code).toBe(0)
})

describe('refused in one line, nothing written', () => {
  const refused = async (args: string[], says: string) => expectRefusal(await halfdice(args), says)
  test('by tune', async () => {
    const nobody = ['tune', at('maps'), at('nobody'), '-o', at('x.json')]
    mkdirSync(at('nobody'))
    writeImage(at('nobody', 'q.nii.gz'), new Uint8Array(16 * 14 * 12), grid)
    await refused(nobody, 'no case (p0_t1, p10_t1, p11_t1 and 9 others) has a reference of its name (q); rename')
    await refused(['tune', at('maps', 'p0_t1.nii.gz'), at('refs'), '-o', at('x.json')], 'give two patients or more')
    await refused(['tune', at('maps'), at('refs'), '-o', at('x.json'), '--patients', 'p'], 'of 1 patients')
    await refused(['tune', at('maps'), at('refs'), '-o', at('refs', 'p0_t1.nii.gz')], 'would overwrite the input')
    await refused(['tune', at('maps'), at('maps'), at('refs'), '-o', at('x.json')], 'belongs to one fold only')
    await refused(['tune', at('refs'), '-o', at('x.json')], 'needs probabilities and references')
  })
  test('by threshold: other classes, other options that say where to cut, another file', async () => {
    const tuned = ['--tuned', at('out', 'tuned.json')]
    const to = ['-o', at('never')]
    await refused(['threshold', at('new'), ...to, ...tuned, '--classes', 'liver=1'], 'tuned were separate maps of')
    await refused(['threshold', at('new'), ...to, ...tuned, '--at', '0.3'], 'leave --at out')
    await refused(['threshold', at('new'), ...to, ...tuned, '--scope', 'dataset'], 'leave --scope out')
    await refused(['threshold', at('new'), ...to, ...tuned, '--metric', 'iou'], 'leave --metric out')
    await refused(['threshold', at('new'), ...to, ...tuned, '--logits', 'sigmoid'], 'is applied with --logits sigmoid')
    await refused(['threshold', at('new'), ...to, ...tuned, '--scale', '255'], 'is applied with --scale 255')
    await refused(['threshold', at('new'), ...to, '--tuned', at('refs', 'p0_t1.nii.gz')], 'is no JSON')
    await refused(['threshold', at('new', 'p12_t1.nii.gz'), '-o', at('out', 'tuned.json'), ...tuned], 'tuned.json')
  })
})

test('a bad case is named, the others are used', async () => {
  mkdirSync(at('some'))
  for (let i = 0; i < 6; i++) writeFileSync(at('some', `p${i}_t1.nii.gz`), readFileSync(at('maps', `p${i}_t1.nii.gz`)))
  writeFileSync(at('some', 'p5_t1.nii.gz'), readFileSync(at('maps', 'p5_t1.nii.gz')).subarray(0, 500))
  writeFileSync(at('some', 'stray.nii.gz'), readFileSync(at('maps', 'p6_t1.nii.gz')))
  const { code, stdout, stderr } = await halfdice(['tune', at('some'), at('refs'), '-o', at('some.json'), '--json'])
  expect(code).toBe(1)
  expect(JSON.parse(stdout).cases).toHaveLength(5)
  expect(stderr).toMatch(/no reference for 1 case: stray; not used/)
  expect(stderr).toMatch(/p5_t1.nii.gz: /)
})

describe.skipIf(!hasSharedData)('hippocampi', () => {
  const classes = ['--classes', 'anterior=1,posterior=2,whole=1+2']
  const labels = ['--labels', '1', '2', '1+2']
  const data = (name: string) => sharedData(`hippocampus_probabilities/{case}_${name}.nii.gz`)

  test('of a cross-entropy network: the gain of 13 held-back patients and the promise of 26 agree', async () => {
    const names = readdirSync(sharedData('hippocampus_probabilities')).filter((name) => name.endsWith('_ce.nii.gz'))
    for (const part of ['known', 'held']) mkdirSync(at(part))
    for (const [i, name] of names.sort().entries()) {
      const target = at(i % 3 === 2 ? 'held' : 'known', name.replace('_ce', ''))
      symlinkSync(sharedData(`hippocampus_probabilities/${name}`), target)
    }
    const tuned = ['--tuned', at('hippo.json')]
    const args = [at('known'), data('clean'), ...classes, '-o', at('hippo.json')]
    const { choices } = await halfdiceJson<Tuned>(['tune', ...args])
    await halfdiceJson(['threshold', at('held'), ...classes, '-o', at('held-tuned'), ...tuned])
    await halfdiceJson(['threshold', at('held'), ...classes, '-o', at('held-half'), '--at', '0.5'])
    const { versus } = await halfdiceJson<{
      versus: { differences: Record<string, { dice: { difference: { low: number; high: number } } }> }
    }>(['evaluate', at('held-tuned'), data('clean'), ...labels, '--versus', at('held-half')])
    for (const [c, label] of ['1', '2', '1+2'].entries()) {
      const { gain } = choices[c]
      const { low, high } = versus.differences[label].dice.difference
      expect(gain.low).toBeGreaterThan(0.02)
      expect([low < gain.high, high > gain.low]).toEqual([true, true])
    }
  })

  test('of a soft-Dice network leave little to gain', async () => {
    const { choices } = await halfdiceJson<Tuned>([
      'tune',
      data('sd'),
      data('clean'),
      ...classes,
      '-o',
      at('soft.json'),
    ])
    for (const { gain } of choices) expect(gain.mean).toBeLessThan(0.02)
  })
})
