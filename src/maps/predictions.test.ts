import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { PickledValue } from '../formats/pickle.ts'
import { InputError } from '../volume/errors.ts'
import { mapShape } from './array-maps.ts'
import { parseClasses, readClasses } from './classes.ts'
import { findCases } from './find-cases.ts'
import { geometryOfProperties } from './geometry.ts'
import { caseName } from './names.ts'
import { readMaps, type StoredMaps } from './read-maps.ts'
import { SumCheck } from './sum-check.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-predictions-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('dataset.json', () => {
  const classes = (json: unknown) => {
    const path = join(folder, 'dataset.json')
    writeFileSync(path, typeof json === 'string' ? json : JSON.stringify(json))
    return readClasses(path)
  }

  test('nnU-Net v2, in the order of labels, without the ignore label', () => {
    const labels = { tumour: 2, background: 0, liver: 1, ignore: 3 }
    expect(classes({ labels, file_ending: '.nrrd' })).toEqual({
      kind: 'exclusive',
      maps: [undefined, { name: 'liver', labels: [1] }, { name: 'tumour', labels: [2] }],
      fileEnding: '.nrrd',
      ignore: 3,
    })
  })

  test('nnU-Net v1', () => {
    expect(classes({ labels: { '0': 'background', '1': 'anterior' } }).maps).toEqual([
      undefined,
      { name: 'anterior', labels: [1] },
    ])
  })

  test('regions, whose background has no map', () => {
    const labels = { background: 0, whole: [1, 2], core: [2] }
    expect(classes({ labels, regions_class_order: [1, 2] })).toEqual({
      kind: 'regions',
      maps: [
        { name: 'whole', labels: [1, 2] },
        { name: 'core', labels: [2] },
      ],
      paint: [1, 2],
    })
    expect(() => classes({ labels })).toThrow(/regions_class_order/)
  })

  test.each(['{', '[1]', '{}', '{"labels": {"a": "b"}}', '{"labels": {"a": [1.5]}}'])('%s is refused', (text) => {
    expect(() => classes(text)).toThrow(InputError)
  })
})

test('classes from the command line', () => {
  expect(parseClasses('background, liver', '--classes')).toEqual([undefined, { name: 'liver', labels: [1] }])
  expect(parseClasses('liver,spleen', '--classes').map((each) => each?.labels)).toEqual([[1], [2]])
  expect(parseClasses('a=3,b=1+2', '--classes')).toEqual([
    { name: 'a', labels: [3] },
    { name: 'b', labels: [1, 2] },
  ])
  expect(parseClasses('liver=1, background', '--classes')).toEqual([{ name: 'liver', labels: [1] }, undefined])
  const wrong = [
    'a=,b',
    'a=x',
    '',
    '=1',
    'a=70000',
    'a=-1',
    'a=1.5',
    'a=4294967296',
    'a=1,b=1',
    'a=1+1',
    'a,b=1',
    'a,a',
  ]
  for (const bad of wrong) expect(() => parseClasses(bad, '--classes')).toThrow(InputError)
})

describe('geometry', () => {
  const map = (entries: Record<string, PickledValue>): PickledValue => new Map(Object.entries(entries))

  test('LPS becomes RAS, spacing is x first', () => {
    const stuff = map({ spacing: [1, 2, 3], origin: [10, 20, 30], direction: [0, 1, 0, 1, 0, 0, 0, 0, 1] })
    const { grid, start } = geometryOfProperties(map({ sitk_stuff: stuff }), [4, 5, 6], 'x.pkl')
    expect(grid).toEqual({
      shape: [6, 5, 4],
      spacing: [1, 2, 3],
      origin: [-10, -20, 30],
      direction: [0, -1, 0, -1, 0, 0, 0, 0, 1],
    })
    expect(start).toBeUndefined()
  })

  test('2-D', () => {
    const stuff = map({ spacing: [0.5, 0.25], origin: [1, 2], direction: [1, 0, 0, 1] })
    const { grid } = geometryOfProperties(map({ sitk_stuff: stuff }), [1, 8, 9], 'x.pkl')
    expect(grid).toMatchObject({ shape: [9, 8, 1], spacing: [0.5, 0.25, 1], origin: [-1, -2, 0] })
  })

  test.each<[string, PickledValue]>([
    ['no dictionary', [1]],
    ['nothing known', map({ spacing: [1, 1, 1] })],
    [
      'a spacing of 0',
      map({ sitk_stuff: map({ spacing: [1, 0, 1], origin: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] }) }),
    ],
    ['a short direction', map({ sitk_stuff: map({ spacing: [1, 1, 1], origin: [0, 0, 0], direction: [1, 0, 0, 1] }) })],
    [
      'a box beyond the image',
      map({
        itk_spacing: [1, 1, 1],
        original_size_of_raw_data: [4, 5, 6],
        crop_bbox: [
          [1, 5],
          [0, 5],
          [0, 6],
        ],
      }),
    ],
    ['no affine', map({ nibabel_stuff: map({}) })],
  ])('%s is refused', (_, properties) => {
    expect(() => geometryOfProperties(properties, [4, 5, 6], 'x.pkl')).toThrow(InputError)
  })
})

describe('sums over classes', () => {
  const check = (sums: number[], whole = true) => {
    const each = new SumCheck(sums.length, whole)
    each.add(Float32Array.from(sums, (sum) => sum / 2))
    each.add(Float32Array.from(sums, (sum) => sum / 2))
    return each.verdict('x')
  }
  test('1, and 0 where nnU-Net padded, pass; a little off is warned, far off is refused', () => {
    expect(check([1, 1, 0])).toBeUndefined()
    expect(check([1, 1.005])).toBeUndefined()
    expect(check([1, 1.05])).toMatch(/add up to 1\.05 instead of 1 at the worst of 1 voxels/)
    expect(() => check([1, 1.5])).toThrow(/--decode separate/)
    // Without a background map less than 1 is right, more is not.
    expect(check([0.3, 0.9], false)).toBeUndefined()
    expect(() => check([0.3, 1.9], false)).toThrow(InputError)
  })
})

test('softmax and sigmoid of logits, in pieces of any length', async () => {
  const logits = [1, -2, 800, 0, 3, -800]
  const stored: StoredMaps = {
    subject: 'x',
    channels: 2,
    voxels: 3,
    async *chunks() {
      for (const part of [logits.slice(0, 1), logits.slice(1, 5), logits.slice(5)]) yield Float32Array.from(part)
    },
  }
  const collect = async (logits: 'softmax' | 'sigmoid') => {
    const out: number[] = []
    for await (const map of readMaps(stored, { logits })) out.push(...map)
    return out
  }
  const pair = (a: number, b: number) => [1 / (1 + Math.exp(b - a)), 1 / (1 + Math.exp(a - b))]
  const softmax = [0, 1, 2].map((i) => pair(logits[i], logits[i + 3]))
  const expected = [...softmax.map(([a]) => a), ...softmax.map(([, b]) => b)]
  ;(await collect('softmax')).forEach((p, i) => {
    expect(p).toBeCloseTo(expected[i], 6)
  })
  ;(await collect('sigmoid')).forEach((p, i) => {
    expect(p).toBeCloseTo(1 / (1 + Math.exp(-logits[i])), 6)
  })
})

test('shapes of arrays', () => {
  expect(mapShape([3, 4, 5, 6], 'x')).toEqual({ channels: 3, shape: [4, 5, 6] })
  expect(mapShape([1, 3, 4, 5, 6], 'x')).toEqual({ channels: 3, shape: [4, 5, 6] })
  expect(mapShape([4, 5, 6], 'x')).toEqual({ channels: 1, shape: [4, 5, 6] })
  for (const axes of [[], [5], [5, 6], [2, 3, 4, 5, 6], [3, 0, 5, 6]])
    expect(() => mapShape(axes, 'x')).toThrow(InputError)
})

test('cases of a folder: arrays before class folders before images', () => {
  const at = (...parts: string[]) => join(folder, 'cases', ...parts)
  for (const name of ['a', 'b']) {
    mkdirSync(at('classes', name), { recursive: true })
    writeFileSync(at('classes', name, 'liver.nii.gz'), '')
  }
  mkdirSync(at('images'))
  for (const name of ['p.nii.gz', 'q.hdr', 'q.img', '.hidden.nii']) writeFileSync(at('images', name), '')
  mkdirSync(at('arrays'))
  for (const name of ['c.npz', 'c.pkl', 'c.nii.gz', 'dataset.json']) writeFileSync(at('arrays', name), '')
  mkdirSync(at('empty'))
  const names = (path: string) => findCases([at(path)]).map(({ name, kind }) => [name, kind])
  expect(names('arrays')).toEqual([['c', 'array']])
  expect(names('classes')).toEqual([
    ['a', 'classes'],
    ['b', 'classes'],
  ])
  expect(names('images')).toEqual([
    ['p', 'image'],
    ['q', 'image'],
  ])
  expect(() => names('empty')).toThrow(/holds no probabilities/)
  expect(() => names('nowhere')).toThrow(/no such file/)
})

test('names of cases', () => {
  expect(['a/b.c.nii.gz', 'x.npz', 'y.hdr', 'z'].map(caseName)).toEqual(['b.c', 'x', 'y', 'z'])
})
