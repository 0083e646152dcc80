/** Masks as DICOM segmentations and as files of segments for 3D Slicer. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { seriesRecipes, writeSeries } from '../src/formats/testing/dicom-series.ts'
import { readVolume, writeVolume } from '../src/formats/volume-file.ts'
import { type Grid, worldPosition } from '../src/volume/grid.ts'
import { expectRefusal, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)
const size = { slices: 8, rows: 12, columns: 14 }

/** Two maps that overlap, on a grid. */
function softBalls(grid: Grid): Float32Array {
  const [nx, ny, nz] = grid.shape
  const count = nx * ny * nz
  return Float32Array.from({ length: 2 * count }, (_, n) => {
    const [i, j, k] = [n % nx, Math.floor(n / nx) % ny, Math.floor(n / (nx * ny)) % nz]
    const [x, r] = n < count ? [6, 4] : [8, 2.5]
    return 1 / (1 + Math.exp(2 * (Math.hypot(i - x, j - 5, 1.5 * (k - 4)) - r)))
  })
}

/** The same voxels with rows the other way round, as dcm2niix stores them. */
function flipped(grid: Grid, data: Float32Array): { grid: Grid; data: Float32Array } {
  const [nx, ny] = grid.shape
  const out = data.map((_, n) => {
    const j = Math.floor(n / nx) % ny
    return data[n + (ny - 1 - 2 * j) * nx]
  })
  const direction = grid.direction.map((x, n) => (n % 3 === 1 ? -x : x)) as unknown as Grid['direction']
  return { grid: { ...grid, direction, origin: worldPosition(grid, [0, ny - 1, 0]) }, data: out }
}

const names = Object.keys(seriesRecipes) as (keyof typeof seriesRecipes)[]

beforeAll(async () => {
  mkdirSync(at('maps'))
  for (const name of names) {
    const { grid } = await readVolume(writeSeries(at(`series/${name}`), { ...size, ...seriesRecipes[name] }))
    const data = softBalls(grid)
    await writeVolume(at(`${name}.nii.gz`), { grid, channels: 2, data })
    await writeVolume(at(`maps/${name}.nii.gz`), { ...flipped(grid, data), channels: 2 })
  }
})

const classes = ['--classes', 'liver=1,tumour=2']

test('threshold writes a segmentation of the series, wherever the map turns its axes', async () => {
  for (const name of names) {
    const like = ['--like', at(`series/${name}`)]
    await halfdiceJson(['threshold', at(`${name}.nii.gz`), '-o', at(`${name}.dcm`), ...like, ...classes])
    await halfdiceJson(['threshold', at(`${name}.nii.gz`), '-o', at('plain.nii.gz')])
    const [mask, plain] = [await readVolume(at(`${name}.dcm`)), await readVolume(at('plain.nii.gz'))]
    expect([...(mask.labelNames?.values() ?? [])]).toEqual(['liver', 'tumour'])
    // A segmentation stores the slices that hold something.
    const skipped = mask.data.length / 2 / (14 * 12)
    const first = plain.data.indexOf(1)
    const from = Math.floor(first / (14 * 12)) * 14 * 12
    const half = plain.data.length / 2
    const stored = [0, half].flatMap((start) => [
      ...plain.data.subarray(start + from, start + from + skipped * 14 * 12),
    ])
    expect([...mask.data]).toEqual(stored)
    expect(mask.data.filter((value) => value === 1).length).toBe(plain.data.filter((value) => value === 1).length)
    expect(mask.header).toMatchObject({ seriesUid: '1.2.3.4' })
  }
  const result = await halfdiceJson<{ cases: unknown[] }>([
    ...['threshold', at('maps'), '-o', at('masks/{case}.dcm'), '--like', at('series'), ...classes],
  ])
  expect(result.cases.length).toBe(3)
  for (const name of names) {
    expect(readFileSync(at(`masks/${name}.dcm`)).equals(readFileSync(at(`${name}.dcm`))), name).toBe(true)
  }
})

test('regions that lie within each other are a segment each; classes of a label map too', async () => {
  const like = ['--like', at('series/turned')]
  const whole = ['--classes', 'whole=1+2,core=2', '--decode', 'regions']
  await halfdiceJson(['threshold', at('turned.nii.gz'), '-o', at('regions.dcm'), ...like, ...whole])
  await halfdiceJson(['threshold', at('turned.nii.gz'), '-o', at('regions.nii.gz'), ...whole])
  const [regions, labels] = [await readVolume(at('regions.dcm')), await readVolume(at('regions.nii.gz'))]
  expect([...(regions.labelNames?.values() ?? [])]).toEqual(['whole', 'core'])
  const counts = [labels.data.filter((l) => l > 0).length, labels.data.filter((l) => l === 2).length]
  const half = regions.data.length / 2
  expect([0, half].map((start) => regions.data.subarray(start, start + half).filter((v) => v === 1).length)).toEqual(
    counts,
  )
})

test('fractions give a segmentation of the images that they refer to', async () => {
  const { grid, header } = await readVolume(at('series/tilted'))
  const maps = { grid, channels: 2, data: softBalls(grid) }
  await writeVolume(at('t.nii.gz'), { ...maps, data: maps.data.map((p) => Number(p > 0.01)), header })
  await writeVolume(at('t.dcm'), {
    grid,
    channels: 2,
    data: Uint8Array.from(maps.data, (p) => Number(p > 0.01)),
    header,
  })
  await halfdiceJson(['threshold', at('t.dcm'), '-o', at('again.dcm'), '--decode', 'separate'])
  const [before, after] = [await readVolume(at('t.dcm')), await readVolume(at('again.dcm'))]
  expect([...after.data]).toEqual([...before.data])
  expect(after.grid).toEqual(before.grid)
  expect(after.header).toMatchObject({ seriesUid: '1.2.3.4' })
})

test('a label that gets another number is told of, and keeps its name', async () => {
  const { grid } = await readVolume(at('series/straight'))
  const liver = softBalls(grid).subarray(0, 14 * 12 * 8)
  await writeVolume(at('softmax.nii.gz'), {
    grid,
    channels: 2,
    data: Float32Array.from([...liver.map((p) => 1 - p), ...liver]),
  })
  const args = ['threshold', at('softmax.nii.gz'), '--like', at('series/straight'), '--classes', 'background=0,liver=5']
  const { stderr, code } = await halfdice([...args, '--decode', 'exclusive', '-o', at('u.dcm')])
  expect(stderr).toContain('DICOM numbers segments from 1 on: label 5 is segment 1; their names tell the labels')
  expect([code, [...((await readVolume(at('u.dcm'))).labelNames ?? [])]]).toEqual([0, [[1, 'liver']]])
})

test('.seg.nrrd for 3D Slicer, of one case and of many', async () => {
  await halfdiceJson(['threshold', at('straight.nii.gz'), '-o', at('one.seg.nrrd'), ...classes])
  await halfdiceJson(['threshold', at('maps'), '-o', at('slicer/{case}.seg.nrrd'), ...classes])
  expect(readdirSync(at('slicer')).sort()).toEqual(names.map((name) => `${name}.seg.nrrd`).sort())
  for (const path of [at('one.seg.nrrd'), at('slicer/turned.seg.nrrd')]) {
    const { channels, labelNames } = await readVolume(path)
    expect([channels, [...(labelNames?.values() ?? [])]]).toEqual([2, ['liver', 'tumour']])
  }
})

describe('refused in one line, before anything is written', () => {
  const like = (name: string) => ['--like', at(`series/${name}`)]
  const refused = async (args: string[], says: string | RegExp) => {
    expectRefusal(await halfdice(args), says)
    expect(existsSync(at('x.dcm'))).toBe(false)
  }
  const threshold = ['threshold', at('straight.nii.gz'), '-o', at('x.dcm')]

  test('no DICOM images', async () => {
    await refused(threshold, 'x.dcm: is a DICOM segmentation, which refers to DICOM images: give these')
    await refused([...threshold, '--like', at('straight.nii.gz')], 'x.dcm: is a DICOM segmentation')
  })
  test('images elsewhere, and a series that is not whole', async () => {
    await refused([...threshold, ...like('turned')], /x\.dcm: would lie on another grid than the images of .*turned/)
    cpSync(at('series/straight'), at('series/holed'), { recursive: true })
    rmSync(at('series/holed/IM5')) // the fourth slice
    await refused(
      [...threshold, ...like('holed')],
      /holed: its slices are 5\.00 mm apart after 3 slices, .* complete the/,
    )
    cpSync(at('series/straight'), at('series/short'), { recursive: true })
    rmSync(at('series/short/IM1')) // the last slice
    await refused(
      [...threshold, ...like('short')],
      /x\.dcm: would lie in more than the images of .*short \(14×12×8 voxels .* against 14×12×7 .*\); give the whole/,
    )
  })
  test('probabilities, whose file has another ending', async () => {
    await refused(['marginal', at('straight.dcm'), '-o', at('x.dcm'), '--sigma', '1'], 'holds masks, not probabilities')
  })
  test('one case of many is told, and the others go on', async () => {
    mkdirSync(at('some'))
    for (const name of ['straight', 'turned']) cpSync(at(`series/${name}`), at(`some/${name}`), { recursive: true })
    const args = ['threshold', at('maps'), '-o', at('some-masks/{case}.dcm'), '--like', at('some')]
    const { code, stderr } = await halfdice(args)
    expect(stderr).toMatch(
      /tilted\.nii\.gz: has no image in .*\nhalfdice: threshold: 1 of 3 cases failed; the others are done\n$/,
    )
    expect([code, readdirSync(at('some-masks')).sort()]).toEqual([1, ['straight.dcm', 'turned.dcm']])
  })
  test('the images themselves as the output', async () => {
    writeFileSync(at('series/straight/note.txt'), '')
    const { stderr, code } = await halfdice([...threshold.slice(0, 3), at('series/straight/IM0'), ...like('straight')])
    expect([code, stderr]).toEqual([2, expect.stringContaining('IM0')])
  })
})
