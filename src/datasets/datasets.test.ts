import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { writeVolume } from '../formats/volume-file.ts'
import { createGrid, type Grid } from '../volume/grid.ts'
import { patientRule } from './dataset.ts'
import { openDataset } from './open-dataset.ts'
import { onGrid } from './same-grid.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-datasets-'))
afterAll(() => rmSync(root, { recursive: true }))

const grid = createGrid([4, 3, 2], [1, 2, 3])
const image = (value = 7, where: Grid = grid) => ({
  grid: where,
  channels: 1,
  data: new Int16Array(where.shape[0] * where.shape[1] * where.shape[2]).fill(value),
})
const mask = (...inside: number[]) => {
  const data = new Uint8Array(24)
  for (const at of inside) data[at] = 1
  return { grid, channels: 1, data }
}
const write = async (path: string, volume: Parameters<typeof writeVolume>[1]) => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  await writeVolume(join(root, path), volume)
}

describe('TotalSegmentator', () => {
  test('masks become one label map; absent organs, images and splits are told apart', async () => {
    await write('ts/s0001/ct.nii.gz', image())
    await write('ts/s0001/segmentations/liver.nii.gz', mask(1, 2))
    await write('ts/s0001/segmentations/aorta.nii.gz', mask(2, 3))
    await write('ts/s0002/ct.nii.gz', image())
    await write('ts/s0002/segmentations/liver.nii.gz', mask())
    await write('ts/s0003/segmentations/liver.nii.gz', mask())
    writeFileSync(join(root, 'ts/meta.csv'), '\uFEFFimage_id;age;split\ns0001;50;train\ns0002;60;test\n')
    const spec = { kind: 'totalsegmentator', folder: join(root, 'ts') } as const
    const all = await openDataset(spec, ['liver', 'aorta'])
    expect(all.cases.map(({ id, patient }) => [id, patient])).toEqual([
      ['s0001', 's0001'],
      ['s0002', 's0002'],
    ])
    expect(all.leftOut).toEqual([{ id: 's0003', reason: 'has no ct.nii.gz or mri.nii.gz' }])
    const { labels } = await all.load(all.cases[0])
    expect([...labels.data].slice(0, 5)).toEqual([0, 1, 1, 2, 0])
    expect([...(await all.load(all.cases[1])).labels.data].some((l) => l !== 0)).toBe(false)
    const test = await openDataset({ ...spec, split: 'test' }, ['liver'])
    expect(test.cases.map(({ id }) => id)).toEqual(['s0002'])
    await expect(openDataset(spec, ['lever'])).rejects.toThrow('no case has segmentations/lever.nii.gz')
    await expect(openDataset({ ...spec, folder: join(root, 'nothing') }, ['liver'])).rejects.toThrow('nothing: cannot')
  })
})

describe('pairs', () => {
  test('by pattern, in one folder or in folders of cases', async () => {
    await write('pairs/a_1.nii.gz', image())
    await write('pairs/a_1_seg.nii.gz', mask(0))
    await write('pairs/b.nii.gz', image())
    await write('pairs/b_seg.nii.gz', mask(0))
    const spec = {
      kind: 'pairs',
      images: join(root, 'pairs/{case}.nii.gz'),
      labels: join(root, 'pairs/{case}_seg.nii.gz'),
      labelNames: { thing: 1 },
      patient: '^[a-z]',
    } as const
    const dataset = await openDataset(spec, ['thing'])
    expect(dataset.cases.map(({ id, patient }) => [id, patient])).toEqual([
      ['a_1', 'a'],
      ['b', 'b'],
    ])
    expect((await dataset.load(dataset.cases[1])).labels.data[0]).toBe(1)
    await write('nested/x1/x1_t1.nii.gz', image())
    await write('nested/x1/seg.nii.gz', mask(0))
    const nested = { ...spec, images: join(root, 'nested/{case}/{case}_t1.nii.gz'), patient: '.*' }
    const label = join(root, 'nested/{case}/seg.nii.gz')
    expect((await openDataset({ ...nested, labels: label }, [])).cases.map(({ id }) => id)).toEqual(['x1'])
    await expect(openDataset({ ...nested, labels: join(root, '{case}.nii') }, [])).rejects.toThrow('is missing for')
    await expect(openDataset({ ...spec, images: 'a.nii' }, [])).rejects.toThrow("data.images: 'a.nii' has no {case}")
  })
})

test('the phantom is the same whenever it is opened', async () => {
  const open = () => openDataset({ kind: 'phantom', cases: 2, seed: 3, shape: [12, 10, 8], spacing: [24, 24, 24] }, [])
  const [a, b] = await Promise.all([open(), open()])
  expect(a.cases.map(({ id }) => id)).toEqual(['phantom_000', 'phantom_001'])
  expect([...a.labels.keys()].length).toBeGreaterThanOrEqual(3)
  expect(await a.load(a.cases[1])).toEqual(await b.load(b.cases[1]))
})

test('a mask on another grid is refused, or resampled if asked', () => {
  // The same space at half the spacing along i: label 1 covers the first of four voxels.
  const fine: Grid = { ...createGrid([8, 3, 2], [0.5, 2, 3]), origin: [-0.25, 0, 0] }
  const data = new Uint8Array(48).map((_, at) => (at % 8 < 2 ? 1 : 0))
  const close: Grid = { ...grid, origin: [0.02, 0, 0] }
  expect(onGrid({ grid: close, channels: 1, data: new Uint8Array(24) }, grid, false, 'm.nii').grid).toBe(grid)
  expect(() => onGrid({ grid: fine, channels: 1, data }, grid, false, 'm.nii')).toThrow('m.nii: lies on another grid')
  const moved = onGrid({ grid: fine, channels: 1, data }, grid, true, 'm.nii')
  expect([...moved.data]).toEqual(Array.from({ length: 24 }, (_, at) => (at % 4 === 0 ? 1 : 0)))
  // A flipped, sheared-free rotated grid: +i of the map runs along −j of the world.
  const turned: Grid = {
    ...createGrid([3, 4, 2], [2, 1, 3]),
    origin: [0, 4, 0],
    direction: [0, 1, 0, -1, 0, 0, 0, 0, 1],
  }
  const values = Uint8Array.from({ length: 24 }, (_, at) => at + 1)
  const back = onGrid({ grid: turned, channels: 1, data: values }, grid, true, 'm.nii')
  // Voxel (0, 0, 0) of the image lies at j = 0 mm: the map's i = 2, its j = 0.
  expect(back.data[0]).toBe(3)
  expect(back.data[1]).toBe(6)
  expect(back.data[4]).toBe(2)
})

test('patients by pattern', () => {
  expect(patientRule('^(p\\d+)_', (id) => id)('p07_frame1')).toBe('p07')
  expect(() => patientRule('^(p\\d+)_', (id) => id)('x')).toThrow("patient: '^(p\\d+)_' does not match the case x")
  expect(() => patientRule('(', (id) => id)).toThrow('is no regular expression')
})
