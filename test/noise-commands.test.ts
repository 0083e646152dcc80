import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { softDiceOptimumBySort } from '../src/decision/soft-dice-by-sort.ts'
import { readVolume } from '../src/formats/volume-file.ts'
import { marginal } from '../src/noise/marginal.ts'
import { createGrid, voxelVolumeMm3 } from '../src/volume/grid.ts'
import { channelOf } from '../src/volume/volume.ts'
import { expectRefusal, filesBelow, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'
import { obliqueGrid, twoBalls, writeImage } from './support/images.ts'

interface SampleResult {
  foldProbability: number
  samples: { file: string; labels: Record<string, { voxels: number; volumeMl: number; dice: number }> }[]
}
interface OptimumRow {
  label: number
  sigmaMm: number | number[]
  supDice: number
  threshold: number
  diceAtHalf: number
  volumeRatioHalf: number
  volumeRatioDice: number
  foldProbability?: number
}

const folder = temporaryFolder()
const labels = twoBalls()
const input = writeImage(join(folder, 'two.nii.gz'), labels)
const count = (values: Iterable<number>, wanted: number) => [...values].filter((v) => v === wanted).length

describe('sample', () => {
  test('writes noisy labels with the reference’s geometry, and counts them', async () => {
    const out = join(folder, 'noisy')
    const args = ['sample', input, '-o', out, '--sigma', '1', '--length', '6', '-n', '3']
    const { samples, foldProbability } = await halfdiceJson<SampleResult>(args)
    expect(filesBelow(out)).toEqual(['two_0000.nii.gz', 'two_0001.nii.gz', 'two_0002.nii.gz'])
    expect(samples.map(({ file }) => file)).toEqual(filesBelow(out).map((name) => join(out, name)))
    expect(foldProbability).toBeLessThan(0.001)
    const reference = await readVolume(input)
    for (const { file, labels: stats } of samples) {
      const { data, grid } = await readVolume(file)
      expect(grid).toEqual(reference.grid)
      expect(data).toBeInstanceOf(Uint8Array)
      expect(Object.keys(stats)).toEqual(['1', '2'])
      for (const label of [1, 2]) {
        const both = labels.filter((l, i) => l === label && data[i] === label).length
        const voxels = count(data, label)
        expect(stats[label].voxels).toBe(voxels)
        expect(stats[label].volumeMl).toBeCloseTo((voxels * voxelVolumeMm3(grid)) / 1000, 10)
        expect(stats[label].dice).toBeCloseTo((2 * both) / (voxels + count(labels, label)), 12)
        expect(stats[label].dice).toBeGreaterThan(0.5)
        expect(stats[label].dice).toBeLessThan(1)
      }
    }
  })

  test('gives the same bytes on any number of threads, and for any number of samples', async () => {
    const run = (name: string, ...more: string[]) =>
      halfdice(['sample', input, '-o', join(folder, name), '--sigma', '2', '--length', '9', '--seed', '7', ...more])
    await run('one', '-n', '5', '--threads', '1')
    await run('three', '-n', '5', '--threads', '3')
    await run('later', '-n', '2', '--first', '3')
    await run('seed', '-n', '1', '--seed', '8')
    const bytes = (name: string, index: number) => readFileSync(join(folder, name, `two_000${index}.nii.gz`))
    for (const index of [0, 1, 2, 3, 4]) expect(bytes('three', index)).toEqual(bytes('one', index))
    expect(bytes('later', 3)).toEqual(bytes('one', 3))
    expect(bytes('later', 4)).toEqual(bytes('one', 4))
    expect(bytes('one', 1)).not.toEqual(bytes('one', 0))
    expect(bytes('seed', 0)).not.toEqual(bytes('one', 0))
  })

  test.each([
    ['int16', Int16Array.from(labels, (l) => l * 300), undefined],
    ['float32', Float32Array.from(labels), undefined],
    // Stored as labels divided by a slope of 1/85, as nibabel does, and written as the labels themselves.
    ['uint8', labels, { slope: 1 / 85, intercept: 0 }],
  ] as const)('keeps the type of %s labels', async (name, data, scaling) => {
    const stored = scaling ? data.map((label) => 85 * label) : data
    // The name of the case gives the field: it is the same, in another folder.
    mkdirSync(join(folder, name))
    const path = writeImage(join(folder, name, 'two.nii'), stored, obliqueGrid, scaling && { scaling })
    const args = ['sample', path, '-o', join(folder, 'typed'), '--sigma', '1', '--length', '6']
    const { samples } = await halfdiceJson<SampleResult>(args)
    const noisy = await readVolume(samples[0].file)
    expect(noisy.data.constructor).toBe(data.constructor)
    expect(noisy.scaling).toBeUndefined()
    expect(new Set(noisy.data)).toEqual(new Set(data))
    // The same noise moved the same map: only the names of the labels differ.
    const plain = await halfdiceJson<SampleResult>(['sample', input, ...args.slice(2)])
    const values = (await readVolume(plain.samples[0].file)).data
    const rename = new Map([...labels].map((l, i) => [l, data[i]]))
    expect([...noisy.data]).toEqual([...values].map((l) => rename.get(l)))
  })

  test('one sample goes into the file that -o names; several do not fit', async () => {
    const noise = ['--sigma', '2', '--length', '9', '--seed', '7']
    const file = join(folder, 'one sample.nii.gz')
    const { samples } = await halfdiceJson<SampleResult>(['sample', input, '-o', file, ...noise])
    expect(samples.map((sample) => sample.file)).toEqual([file])
    const inFolder = await halfdiceJson<SampleResult>(['sample', input, '-o', join(folder, 'many'), ...noise])
    expect(readFileSync(file)).toEqual(readFileSync(inFolder.samples[0].file))
    const refused = await halfdice(['sample', input, '-o', file, ...noise, '-n', '2'])
    expectRefusal(refused, 'one sample.nii.gz: names one file for 2 samples; give a folder')
    expectRefusal(await halfdice(['sample', input, '-o', input, ...noise]), 'would overwrite the input')
  })

  test('a label map of another name moves by another field, in another folder by the same', async () => {
    const noise = ['--sigma', '2', '--length', '9', '--threads', '1']
    const renamed = writeImage(join(folder, 'renamed.nii.gz'), labels)
    const drawn = async (path: string, out: string) => {
      const { samples } = await halfdiceJson<SampleResult>(['sample', path, '-o', join(folder, out), ...noise])
      return (await readVolume(samples[0].file)).data
    }
    expect(await drawn(renamed, 'fields')).not.toEqual(await drawn(input, 'fields'))
    mkdirSync(join(folder, 'elsewhere'))
    const copy = writeImage(join(folder, 'elsewhere', 'two.nii'), labels)
    expect(await drawn(copy, 'fields-b')).toEqual(await drawn(input, 'fields'))
  })

  test('works in 2-D, with noise in voxels', async () => {
    const grid = createGrid([40, 30, 1], [0.5, 0.5, 1])
    const disc = Uint8Array.from({ length: 1200 }, (_, i) =>
      Math.hypot((i % 40) - 20, Math.floor(i / 40) - 15) < 9 ? 1 : 0,
    )
    const path = writeImage(join(folder, 'disc.nii'), disc, grid)
    const args = ['sample', path, '-o', join(folder, 'discs'), '--sigma', '1vx', '--length', '5vx', '-n', '2']
    const { samples } = await halfdiceJson<SampleResult>(args)
    expect(samples[0].labels['1'].dice).toBeGreaterThan(0.8)
    expect((await readVolume(samples[1].file)).grid.shape).toEqual([40, 30, 1])
  })

  test('warns where more than 1 % of space is folded', async () => {
    const args = ['sample', input, '-o', join(folder, 'folded'), '--sigma', '3', '--length', '6']
    const { code, stdout, stderr } = await halfdice(args)
    expect(code).toBe(0)
    expect(stderr).toMatch(/^halfdice: warning: \d+ % of space is folded by this noise; .*\n$/)
    expect(stdout).toMatch(/folded share of space \d+ %/)
  })

  test('a bad input creates no folder', async () => {
    const out = join(folder, 'never')
    const empty = writeImage(join(folder, 'empty.nii'), new Uint8Array(labels.length))
    expectRefusal(await halfdice(['sample', empty, '-o', out, '--sigma', '1', '--length', '6']), 'background only')
    expect(existsSync(out)).toBe(false)
  })
})

describe('marginal', () => {
  test('of one label is the closed form, as a 3-D float32 image', async () => {
    const output = join(folder, 'marginal.nii.gz')
    const result = await halfdiceJson<{ labels: Record<string, { volumeMl: number }> }>([
      'marginal',
      input,
      '-o',
      output,
      '--sigma',
      '1,1,2.5',
      '--labels',
      '2',
    ])
    const { data, grid, channels } = await readVolume(output)
    const expected = marginal(labels, grid, 2, [1, 1, 2.5])
    expect(channels).toBe(1)
    expect(data).toEqual(expected)
    expect(grid).toEqual((await readVolume(input)).grid)
    const sum = expected.reduce((a, b) => a + b, 0)
    expect(result.labels['2'].volumeMl).toBeCloseTo((sum * voxelVolumeMm3(grid)) / 1000, 9)
  })

  test('of all classes is 4-D, and sums to 1 with the background', async () => {
    const output = join(folder, 'all.nii.gz')
    await halfdiceJson(['marginal', input, '-o', output, '--sigma', '2'])
    expect((await readVolume(output)).channels).toBe(2)
    await halfdiceJson(['marginal', input, '-o', output, '--sigma', '2', '--background'])
    const all = await readVolume(output)
    expect(all.channels).toBe(3)
    const [a, b, c] = [0, 1, 2].map((channel) => channelOf(all, channel))
    // Three float32 numbers, each within 10⁻⁶ of its value.
    for (let i = 0; i < a.length; i++) expect(Math.abs(a[i] + b[i] + c[i] - 1)).toBeLessThan(4e-6)
  })

  test('in voxels is the same noise in mm, by the spacing of each axis', async () => {
    const [vx, mm] = [join(folder, 'vx.nii'), join(folder, 'mm.nii')]
    await halfdice(['marginal', input, '-o', vx, '--sigma', '2vx', '--labels', '1'])
    await halfdice(['marginal', input, '-o', mm, '--sigma', '1.5mm,2,5', '--labels', '1'])
    const [a, b] = [(await readVolume(vx)).data, (await readVolume(mm)).data]
    // The spacing comes from float32 fields of an oblique affine.
    for (let i = 0; i < a.length; i++) expect(Math.abs(a[i] - b[i])).toBeLessThan(1e-6)
  })

  test('of a label that is absent says which there are', async () => {
    const args = ['marginal', input, '-o', join(folder, 'none.nii'), '--sigma', '2', '--labels', '5']
    expectRefusal(await halfdice(args), 'has no label 5; it holds 0, 1, 2')
    expect(existsSync(join(folder, 'none.nii'))).toBe(false)
  })
})

describe('optimum', () => {
  test('gives one row a class and σ, with the optimum of the marginal', async () => {
    const args = ['optimum', input, '--sigma', '1', '2,2,4', '--length', '8']
    const { rows } = await halfdiceJson<{ rows: OptimumRow[] }>(args)
    expect(rows.map(({ label, sigmaMm }) => [label, sigmaMm])).toEqual([
      [1, 1],
      [1, [2, 2, 4]],
      [2, 1],
      [2, [2, 2, 4]],
    ])
    const { grid } = await readVolume(input)
    for (const row of rows) {
      const sigma = typeof row.sigmaMm === 'number' ? ([row.sigmaMm, row.sigmaMm, row.sigmaMm] as const) : row.sigmaMm
      const best = softDiceOptimumBySort(marginal(labels, grid, row.label, [sigma[0], sigma[1], sigma[2]]))
      // What lies beyond 6 σ of the class is left out.
      expect(row.supDice).toBeCloseTo(best.supDice, 7)
      expect(row.threshold).toBeCloseTo(best.supDice / 2, 7)
      expect(row.diceAtHalf).toBeCloseTo(best.diceAtHalf, 7)
      expect(row.volumeRatioDice).toBeCloseTo(best.volumeRatio, 7)
      expect(row.volumeRatioHalf).toBeCloseTo(best.volumeRatioHalf, 7)
      expect(row.foldProbability).toBeGreaterThan(-1)
    }
    expect(rows[1].diceAtHalf).toBeLessThan(rows[0].diceAtHalf)
  })

  test('draws a figure', async () => {
    const plot = join(folder, 'optimum.svg')
    const { code, stdout } = await halfdice(['optimum', input, '--sigma', '1', '2', '--plot', plot])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^label +σ mm +D\* +t\*/m)
    expect(readFileSync(plot, 'utf8')).toMatch(/^<svg .*<\/svg>\s*$/s)
  })

  test('a figure is SVG', async () => {
    expectRefusal(
      await halfdice(['optimum', input, '--sigma', '1', '--plot', join(folder, 'x.png')]),
      'end its name in .svg',
    )
  })
})
