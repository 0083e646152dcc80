import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { createGrid } from '../volume/grid.ts'
import { readLabelNames, readVolume, writeVolume } from './volume-file.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(root, { recursive: true }))
const at = (name: string) => join(root, name)

const grid = createGrid([3, 2, 2], [1, 2, 3])
const labels = Uint8Array.of(0, 1, 1, 0, 4, 4, 0, 0, 1, 0, 0, 0)
const names = new Map([
  [1, 'liver'],
  [4, 'tumour: left\nlobe'],
])

/** Header fields and pairs as a reader of NRRD that knows nothing else takes them apart. */
function parts(path: string) {
  const bytes = readFileSync(path)
  const end = bytes.indexOf('\n\n')
  const lines = bytes.toString('utf8', 0, end).split('\n')
  const of = (mark: string) =>
    new Map(
      lines
        .filter((line) => line.includes(mark))
        .map((line) => line.split(mark, 2).map((s) => s.trim()) as [string, string]),
    )
  return { pairs: of(':='), fields: of(': '), data: gunzipSync(bytes.subarray(end + 2)) }
}

test('a label map is one layer; its labels are segments with names, colours and extents', async () => {
  await writeVolume(at('a.seg.nrrd'), { grid, channels: 1, data: labels, labelNames: names })
  const { pairs, fields, data } = parts(at('a.seg.nrrd'))
  expect([...data]).toEqual([...labels])
  expect([fields.get('kinds'), fields.get('sizes')]).toEqual(['domain domain domain', '3 2 2'])
  const keys = ['ID', 'Name', 'Color', 'LabelValue', 'Layer', 'Extent'] as const
  const of = (n: number) => keys.map((key) => pairs.get(`Segment${n}_${key}`))
  expect(of(0)).toEqual(['Segment_1', 'liver', '0 1 0', '1', '0', '0 2 0 1 0 1'])
  expect(of(1)).toEqual(['Segment_2', 'tumour: left\\nlobe', '1 0 1', '4', '0', '0 2 0 1 0 1'])
  expect(pairs.has('Segment2_ID')).toBe(false)
  expect(pairs.get('Segmentation_MasterRepresentation')).toBe('Binary labelmap')
  const back = await readVolume(at('a.seg.nrrd'))
  expect([back.channels, [...back.data]]).toEqual([1, [...labels]])
  expect(back.labelNames).toEqual(names)
  expect(await readLabelNames(at('a.seg.nrrd'))).toEqual(names)
})

test('masks that overlap are a layer each', async () => {
  const data = Uint8Array.from([...labels.map((l) => Number(l > 0)), ...labels.map((l) => Number(l === 4))])
  const labelNames = new Map([
    [1, 'whole'],
    [2, 'core'],
  ])
  await writeVolume(at('b.seg.nrrd'), { grid, channels: 2, data, labelNames })
  const { pairs, fields } = parts(at('b.seg.nrrd'))
  expect([fields.get('kinds'), fields.get('sizes')]).toEqual(['list domain domain domain', '2 3 2 2'])
  expect([pairs.get('Segment1_Layer'), pairs.get('Segment1_LabelValue')]).toEqual(['1', '1'])
  const back = await readVolume(at('b.seg.nrrd'))
  expect([back.channels, [...back.data]]).toEqual([2, [...data]])
  expect(back.labelNames).toEqual(labelNames)
})

test('layers of several segments, as 3D Slicer saves them, become a channel a segment', async () => {
  const { header: _, ...rest } = await readVolume(at('b.seg.nrrd'))
  const layers = Uint8Array.from([...labels.map((l) => (l === 4 ? 2 : l)), ...labels.map((l) => Number(l === 4))])
  const pairs = Object.entries({
    ...{ Segment0_ID: 'a', Segment0_Name: 'one', Segment0_Layer: '0', Segment0_LabelValue: '1' },
    ...{ Segment1_ID: 'b', Segment1_Name: 'two', Segment1_Layer: '1', Segment1_LabelValue: '1' },
    ...{ Segment2_ID: 'c', Segment2_Name: 'two', Segment2_Layer: '0', Segment2_LabelValue: '2' },
  })
  const header = { format: 'pairs', pairs: new Map(pairs) }
  await writeVolume(at('c.nrrd'), { ...rest, data: layers })
  const text = readFileSync(at('c.nrrd'), 'latin1')
  writeFileSync(
    at('c.seg.nrrd'),
    text.replace('\n\n', `\n${pairs.map(([k, v]) => `${k}:=${v}`).join('\n')}\n\n`),
    'latin1',
  )
  const back = await readVolume(at('c.seg.nrrd'))
  expect([...(back.labelNames ?? [])]).toEqual([
    [1, 'one'],
    [2, 'two 2'],
    [3, 'two 3'],
  ])
  const expected = [1, 4, 4].flatMap((label) => [...labels.map((l) => Number(l === label))])
  expect([...back.data]).toEqual(expected)
  // Of what a file held, its own segments are not those of another mask.
  const kept = { grid, channels: 1, data: labels, header: { ...header, pairs: new Map([...pairs, ['note', 'kept']]) } }
  await writeVolume(at('d.nrrd'), { ...kept, labelNames: new Map() })
  expect([...parts(at('d.nrrd')).pairs]).toEqual([['note', 'kept']])
})

test('the same segments keep their colours and what they mean', async () => {
  const source = await readVolume(at('a.seg.nrrd'))
  const text = readFileSync(at('a.seg.nrrd'), 'latin1').replace('Color:=0 1 0', 'Color:=0.5 0.25 0')
  writeFileSync(at('e.seg.nrrd'), text.replace('Tissue', 'Liver'), 'latin1')
  const volume = await readVolume(at('e.seg.nrrd'))
  expect(volume.labelNames).toEqual(source.labelNames)
  for (const name of ['f.seg.nrrd', 'f.nrrd']) {
    await writeVolume(at(name), { ...volume, data: labels.toReversed() })
    const { pairs } = parts(at(name))
    expect([pairs.get('Segment0_Color'), pairs.get('Segment1_Color')], name).toEqual(['0.5 0.25 0', '1 0 1'])
    expect(pairs.get('Segment0_Tags'), name).toContain('Liver')
  }
})

test('probabilities are no segments', async () => {
  const data = new Float32Array(12)
  await expect(writeVolume(at('p.seg.nrrd'), { grid, channels: 1, data })).rejects.toThrow(
    'p.seg.nrrd: is a file of segments, which holds masks, not probabilities; end it in .nii.gz or .nrrd',
  )
})
