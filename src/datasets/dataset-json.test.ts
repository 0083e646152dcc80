import fc from 'fast-check'
import { expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { parseDatasetJson } from './dataset-json.ts'

const parse = (json: unknown) => parseDatasetJson(typeof json === 'string' ? json : JSON.stringify(json), 'd.json')
const labelsOf = (labels: unknown, more: object = {}) => Object.fromEntries(parse({ labels, ...more }).labels)

test('nnU-Net v2: classes, channels and ending; background and ignore are no classes', () => {
  const labels = { background: 0, tumour: 2, liver: [1], ignore: 3 }
  expect(parse({ channel_names: { 0: 'T1', 1: 'CT' }, labels, file_ending: '.nrrd' })).toEqual({
    channelNames: ['T1', 'CT'],
    labels: new Map([
      ['tumour', [2]],
      ['liver', [1]],
    ]),
    hasBackground: true,
    hasRegions: false,
    ignore: 3,
    fileEnding: '.nrrd',
  })
})

test('nnU-Net v1 and the decathlon', () => {
  const json = { labels: { 0: 'background', 1: 'anterior', 2: 'posterior' }, modality: { 0: 'MRI' } }
  const { labels, channelNames, hasBackground } = parse(json)
  expect([Object.fromEntries(labels), channelNames, hasBackground]).toEqual([
    { anterior: [1], posterior: [2] },
    ['MRI'],
    true,
  ])
})

test('a name made of digits is a name where its value is a number', () => {
  expect(labelsOf({ background: 0, '2': 1 })).toEqual({ '2': [1] })
  expect(labelsOf({ '1': '2' })).toEqual({ '2': [1] })
})

test('regions may share labels and keep the order of the file', () => {
  const labels = { background: 0, whole: [1, 2, 3], core: [2, 3], enhancing: 3, ignore: 4 }
  const dataset = parse({ labels, regions_class_order: [1, 2, 3] })
  expect([...dataset.labels]).toEqual([
    ['whole', [1, 2, 3]],
    ['core', [2, 3]],
    ['enhancing', [3]],
  ])
  expect(dataset).toMatchObject({ hasRegions: true, regionsClassOrder: [1, 2, 3], ignore: 4 })
  // nnU-Net takes no notice of an order where there are no regions.
  expect(parse({ labels: { a: 1 }, regions_class_order: [1, 2] }).regionsClassOrder).toBeUndefined()
})

test('labels up to 65,535, and none beyond', () => {
  expect(labelsOf({ a: 65_535, b: 1.0 })).toEqual({ a: [65_535], b: [1] })
  for (const wrong of [65_536, 70_000, -1, 1.5, 2 ** 32, 1e20, '1', true, null, { x: 1 }, [[1]]]) {
    expect(() => parse({ labels: { liver: wrong } })).toThrow(/d\.json: label 'liver' is .*; a label is a whole number/)
  }
  for (const key of ['70000', '-1', '1.5', '1e3', '4294967296', '']) {
    expect(() => parse({ labels: { [key]: 'liver' } })).toThrow("the number of label 'liver' is ")
  }
})

test.each([
  [{ x: 1, y: 1 }, "'x' and 'y' are both label 1"],
  [{ x: [1, 2], y: [2, 1] }, "'x' and 'y' are both label 1 and 2"],
  [{ background: 0, air: 0, liver: 1 }, "'background' and 'air' are both label 0"],
  [{ x: [1, 1] }, "'x' lists label 1 twice"],
  [{ x: [] }, "label 'x' is an empty list"],
  [{ 1: 'kidney', 2: 'kidney' }, "'kidney' names both label 1 and label 2"],
  [{ 1: 'a', '01': 'b' }, "'a' and 'b' are both label 1"],
  [{ a: 1, ignore: 1 }, "'a' and 'ignore' are both label 1"],
  [{ a: [1, 2], b: 3, ignore: 2 }, "'ignore' is label 2, as is 'a'"],
  [{ background: 0, a: 1, ignore: [2, 3] }, "'ignore' is label 2, 3"],
  [{ a: 1, ignore: 0 }, "'ignore' is label 0"],
  [['background', 'liver'], 'has no object "labels"'],
  ['liver', 'has no object "labels"'],
  [undefined, 'has no object "labels"'],
])('labels %j are refused', (labels, message) => {
  const error = (() => {
    try {
      return parse({ labels, regions_class_order: [1, 2] })
    } catch (error) {
      return error
    }
  })()
  expect(error).toBeInstanceOf(InputError)
  expect(String(error)).toContain(`d.json: ${message}`)
})

test.each([
  [[1, 99_999, 3], 'an entry of "regions_class_order" is 99999'],
  [[1, 1, 1], '"regions_class_order" holds 1 twice'],
  [[0, 1, 2], '"regions_class_order" holds 0'],
  [[1, 2], '3 regions but 2 labels in "regions_class_order"'],
  [undefined, 'regions but no "regions_class_order"'],
  [{ 0: 1 }, '"regions_class_order" is not a list'],
])('regions_class_order %j is refused', (regions_class_order, message) => {
  expect(() => parse({ labels: { w: [1, 2, 3], c: [2, 3], e: 3 }, regions_class_order })).toThrow(message)
})

test('a region called by a number is refused: the order of the file would be lost', () => {
  expect(() => parse({ labels: { whole: [1, 2], '2': 2 }, regions_class_order: [1, 2] })).toThrow(
    "calls a region '2', so that the order of regions is lost",
  )
})

test('other forms of the file', () => {
  expect(parse(`\uFEFF{"labels": {"a": 1}}`)).toMatchObject({ channelNames: [], hasBackground: false })
  for (const text of ['{', '[1]', 'null', '3', '{"labels": {"a": NaN}}']) expect(() => parse(text)).toThrow(InputError)
  for (const file_ending of ['/../../etc', 7, 'nii.gz']) {
    expect(() => parse({ labels: { a: 1 }, file_ending })).toThrow('its "file_ending" is ')
  }
  expect(() => parse({ labels: { a: 1 }, channel_names: 'CT' })).toThrow('its channels are CT')
})

test('whatever the labels are, they come out sound or are refused', () => {
  const number = fc.oneof(fc.integer({ min: -1, max: 4 }), fc.constantFrom(1.5, 65_535, 65_536, 1e20))
  const value = fc.oneof(number, fc.array(number, { maxLength: 3 }), fc.jsonValue(), fc.constantFrom('liver', '1'))
  const key = fc.oneof(
    fc.constantFrom('background', 'a', 'b', 'ignore', '1', '02', '__proto__', 'constructor'),
    fc.string(),
  )
  const entries = fc.array(fc.tuple(key, value), { maxLength: 5 })
  const json = fc.record({
    labels: fc.oneof(
      entries.map((list) => Object.fromEntries(list)),
      fc.jsonValue(),
    ),
    regions_class_order: fc.oneof(fc.array(number, { maxLength: 4 }), fc.jsonValue()),
    file_ending: fc.oneof(fc.constantFrom('.nii.gz', '.nrrd'), fc.jsonValue()),
    channel_names: fc.jsonValue(),
  })
  let read = 0
  fc.assert(
    fc.property(json, (dataset) => {
      try {
        const { labels, ignore, regionsClassOrder } = parse(dataset)
        read++
        const all = [...labels.values()].flat().concat(ignore ?? [], regionsClassOrder ?? [])
        for (const label of all) expect(Number.isInteger(label) && label >= 0 && label <= 65_535).toBe(true)
        const keys = [...labels.values()].map((own) => [...own].sort().join())
        expect(new Set(keys).size).toBe(keys.length)
        expect([...labels.values()].flat()).not.toContain(ignore)
      } catch (error) {
        expect(error).toBeInstanceOf(InputError)
      }
    }),
    { numRuns: 3000 },
  )
  expect(read).toBeGreaterThan(10)
})

test('lists of all labels there are take no time', () => {
  const all = Array.from({ length: 65_535 }, (_, i) => i + 1)
  const begin = performance.now()
  expect(() => labelsOf({ whole: [...all, 1] })).toThrow("'whole' lists label 1 twice")
  // Comparing each with each took seconds.
  expect(performance.now() - begin).toBeLessThan(1000)
})
