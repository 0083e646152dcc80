import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { writeVolume } from '../formats/volume-file.ts'
import { createGrid, type Grid } from '../volume/grid.ts'
import { organParts, patientRule } from './dataset.ts'
import { readNnunetDataset } from './nnunet.ts'
import { type DatasetSpec, openDataset } from './open-dataset.ts'
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

  test('a split that is none is told, with those that are', async () => {
    for (const id of ['s1', 's2', '.s3']) {
      await write(`split/${id}/ct.nii.gz`, image())
      await write(`split/${id}/segmentations/liver.nii.gz`, mask(1))
    }
    const meta = join(root, 'split/meta.csv')
    const open = (split?: string) =>
      openDataset({ kind: 'totalsegmentator', folder: join(root, 'split'), ...(split && { split }) }, ['liver'])
    await expect(open('train')).rejects.toThrow('meta.csv: is missing or cannot be read, so no split can be chosen')
    // A hidden folder is no case, and cases that are only in the table are none of this folder's.
    writeFileSync(meta, 'image_id;split\ns1;train\ns2;test\n.s3;hidden\ns4;val\n')
    await expect(open('training')).rejects.toThrow(
      `data.split: 'training' is no split of these cases (${meta} has test, train); write one of these`,
    )
    expect((await open('train')).cases.map(({ id }) => id)).toEqual(['s1'])
    expect((await open()).cases.map(({ id }) => id)).toEqual(['s1', 's2'])
    writeFileSync(meta, 'image_id;split\ns4;val\n')
    await expect(open('val')).rejects.toThrow('meta.csv: gives no case of this folder a split; leave data.split out')
    writeFileSync(meta, 'image_id,age\ns1,50\n')
    await expect(open('train')).rejects.toThrow("meta.csv: has no column 'split'; take the file of the download, or")
    writeFileSync(meta, 'id,split\ns1,train\n')
    await expect(open('train')).rejects.toThrow("meta.csv: has no column 'image_id'; take the file of the download, or")
    // Without a split, the table is not asked.
    expect((await open()).cases.length).toBe(2)
    rmSync(join(root, 'split/s1/ct.nii.gz'))
    rmSync(join(root, 'split/s2/ct.nii.gz'))
    await expect(open()).rejects.toThrow('split: none of 2 cases has ct.nii.gz or mri.nii.gz; add the images')
  })
})

describe('nnU-Net', () => {
  const index = (folder: string, json: object) =>
    writeFileSync(join(root, folder, 'dataset.json'), JSON.stringify(json))
  const labels = { background: 0, thing: 1 }
  const open = (folder: string) => openDataset({ kind: 'nnunet', folder: join(root, folder), patient: '^[abc]$' }, [])

  test('cases with a missing file are listed with what is missing; training alone refuses them', async () => {
    for (const id of ['a', 'b', 'c']) {
      await write(`nn/imagesTr/${id}_0000.nii.gz`, image(1))
      await write(`nn/imagesTr/${id}_0001.nii.gz`, image(2))
      await write(`nn/labelsTr/${id}.nii.gz`, mask(0))
    }
    index('nn', { channel_names: { 0: 'T1', 1: 'T2' }, labels, file_ending: '.nii.gz' })
    const whole = await open('nn')
    expect(whole.cases.map(({ id, fault }) => [id, fault])).toEqual([
      ['a', undefined],
      ['b', undefined],
      ['c', undefined],
    ])
    expect((await whole.load(whole.cases[1])).image.channels).toBe(2)
    cpSync(join(root, 'nn'), join(root, 'gaps'), { recursive: true })
    rmSync(join(root, 'gaps/imagesTr/a_0001.nii.gz'))
    rmSync(join(root, 'gaps/labelsTr/c.nii.gz'))
    // A stray image is a case without a label, whatever its name; hidden files are nothing.
    await write('gaps/imagesTr/localizer.nii.gz', image())
    for (const folder of ['imagesTr', 'labelsTr']) writeFileSync(join(root, 'gaps', folder, '._b.nii.gz'), 'Mac OS X')
    const { cases } = await open('gaps')
    expect(cases.map(({ id, fault }) => [id, fault?.message])).toEqual([
      [
        'a',
        `${join(root, 'gaps/imagesTr/a_0001.nii.gz')}: is missing for the label a.nii.gz; ` +
          'restore it, or take the label map away',
      ],
      ['b', undefined],
      [
        'c',
        `${join(root, 'gaps/labelsTr/c.nii.gz')}: is missing for the image c_0000.nii.gz; ` +
          'restore it, or take the image away',
      ],
      [
        'localizer',
        `${join(root, 'gaps/labelsTr/localizer.nii.gz')}: is missing for the image localizer.nii.gz; ` +
          'restore it, or take the image away',
      ],
    ])
    await expect(readNnunetDataset(join(root, 'gaps'))).rejects.toThrow('a_0001.nii.gz: is missing for the label')
    expect((await readNnunetDataset(join(root, 'nn'))).cases.length).toBe(3)
  })

  test('a label map with voxels that nobody labelled is refused', async () => {
    for (const id of ['a', 'b']) await write(`sparse/imagesTr/${id}_0000.nii.gz`, image())
    await write('sparse/labelsTr/a.nii.gz', mask(0))
    await write('sparse/labelsTr/b.nii.gz', {
      ...mask(0),
      data: mask(0).data.map((label, at) => label || +(at > 20) * 2),
    })
    index('sparse', { channel_names: { 0: 'T1' }, labels: { ...labels, ignore: 2 } })
    const sparse = await open('sparse')
    expect((await sparse.load(sparse.cases[0])).labels.data[0]).toBe(1)
    await expect(sparse.load(sparse.cases[1])).rejects.toThrow(
      `${join(root, 'sparse/labelsTr/b.nii.gz')}: has voxels of the label 'ignore'; label them, or leave the case out`,
    )
  })

  test('the Medical Segmentation Decathlon as downloaded', async () => {
    // Its numbers may look like channels.
    for (const id of ['hip_0000', 'hip_0001']) {
      await write(`msd/imagesTr/${id}.nii.gz`, image())
      await write(`msd/labelsTr/${id}.nii.gz`, mask(0))
    }
    writeFileSync(join(root, 'msd/labelsTr/._hip_0000.nii.gz'), 'Mac OS X')
    const json = { labels: { 0: 'background', 1: 'Anterior' }, training: [] }
    index('msd', { ...json, modality: { 0: 'MRI' } })
    const dataset = await openDataset({ kind: 'nnunet', folder: join(root, 'msd') }, [])
    expect(dataset.labels).toEqual(new Map([['Anterior', [1]]]))
    expect(dataset.cases).toEqual(
      ['hip_0000', 'hip_0001'].map((id) => ({
        id,
        patient: id,
        images: [join(root, `msd/imagesTr/${id}.nii.gz`)],
        labels: [join(root, `msd/labelsTr/${id}.nii.gz`)],
      })),
    )
    expect((await dataset.load(dataset.cases[0])).labels.data[0]).toBe(1)
    // Of several modalities it keeps one 4-D file.
    index('msd', { ...json, modality: { 0: 'FLAIR', 1: 'T1w' } })
    await expect(readNnunetDataset(join(root, 'msd'))).rejects.toThrow(
      'hip_0000_0000.nii.gz: is missing for the label hip_0000.nii.gz; ' +
        'split hip_0000.nii.gz into a file for each channel',
    )
  })
})

describe('pairs', () => {
  test('label numbers are distinct whole numbers from 0 to 65,535', async () => {
    const open = (labelNames: Record<string, number>) =>
      openDataset({ kind: 'pairs', images: join(root, '{case}'), labels: join(root, '{case}_seg'), labelNames }, [])
    for (const wrong of [70_000, -1, 1.5, 2 ** 32]) {
      await expect(open({ thing: wrong })).rejects.toThrow(`data.labelNames: label 'thing' is ${wrong}; a label is`)
    }
    await expect(open({ a: 1, b: 1 })).rejects.toThrow("data.labelNames: 'a' and 'b' are both label 1")
  })

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
    await expect(openDataset({ ...nested, labels: join(root, '{case}.nii') }, [])).rejects.toThrow(
      `data.labels: no image has a label map '${join(root, '{case}.nii')}' ` +
        `('${join(root, 'x1.nii')}' for one); correct`,
    )
    await expect(openDataset({ ...spec, images: 'a.nii' }, [])).rejects.toThrow("data.images: 'a.nii' has no {case}")
  })

  test('an image without a label map is listed with that fault; hidden files are nothing', async () => {
    for (const id of ['a', 'b', 'other']) await write(`gap/scans/${id}.nii.gz`, image())
    writeFileSync(join(root, 'gap/scans/._a.nii.gz'), 'Mac OS X')
    await write('gap/masks/a.nii.gz', mask(0))
    const [images, labels] = ['scans', 'masks'].map((folder) => join(root, 'gap', folder, '{case}.nii.gz'))
    const spec = { kind: 'pairs', images, labels, labelNames: { thing: 1 }, patient: '^[ab]$' } as const
    expect((await openDataset(spec, [])).cases.map(({ id, fault }) => [id, fault?.message])).toEqual([
      ['a', undefined],
      ...['b', 'other'].map((id) => [
        id,
        `${join(root, `gap/masks/${id}.nii.gz`)}: ` +
          `is missing for the image ${join(root, `gap/scans/${id}.nii.gz`)}; ` +
          'restore it, or take the image away',
      ]),
    ])
  })

  test('a label map without an image is listed with that fault, where patterns can tell', async () => {
    await write('alone/a_t1.nii.gz', image())
    for (const name of ['a_seg', 'b_seg', 'a', 'notes']) await write(`alone/${name}.nii.gz`, mask(0))
    const path = (name: string) => join(root, 'alone', `${name}.nii.gz`)
    const spec = { kind: 'pairs', images: path('{case}_t1'), labelNames: { thing: 1 } } as const
    const listed = await openDataset({ ...spec, labels: path('{case}_seg') }, [])
    expect(listed.cases.map(({ id, fault }) => [id, fault?.message])).toEqual([
      ['a', undefined],
      ['b', `${path('b_t1')}: is missing for the label map ${path('b_seg')}; restore it, or take the label map away`],
    ])
    // This pattern matches every file: b_seg and notes are not known to be labels.
    const loose = await openDataset({ ...spec, labels: path('{case}') }, [])
    expect(loose.cases.map(({ id, fault }) => [id, fault])).toEqual([['a', undefined]])
  })
})

test('a data set is called after its folder, whatever the path to it', async () => {
  await write('called/c1/c1_t1.nii.gz', image())
  await write('called/c1/segmentations/liver.nii.gz', mask(0))
  await write('called/c1/ct.nii.gz', image())
  await write('called/imagesTr/x_0000.nii.gz', image())
  await write('called/labelsTr/x.nii.gz', mask(0))
  writeFileSync(
    join(root, 'called/dataset.json'),
    JSON.stringify({ channel_names: { 0: 'CT' }, labels: { background: 0, liver: 1 } }),
  )
  const folder = `${root}/called/.`
  const specs: DatasetSpec[] = [
    { kind: 'nnunet', folder },
    { kind: 'totalsegmentator', folder },
    {
      kind: 'pairs',
      images: `${folder}/{case}/{case}_t1.nii.gz`,
      labels: `${folder}/{case}/segmentations/liver.nii.gz`,
      labelNames: { liver: 1 },
    },
  ]
  for (const spec of specs) expect((await openDataset(spec, ['liver'])).name, spec.kind).toBe('called')
})

test('organs of several labels', () => {
  expect(organParts('anterior + posterior')).toEqual(['anterior', 'posterior'])
  for (const organ of ['aorta+', '+aorta', 'a++b']) {
    expect(() => organParts(organ)).toThrow(`organs: '${organ}' lacks a name beside '+'; write for example anterior`)
  }
  expect(() => organParts(' ')).toThrow("organs: ' ' is no name; write for example anterior")
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
