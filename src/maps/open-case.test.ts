import { expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { memoryMaps } from './array-maps.ts'
import type { CaseMaps } from './case-maps.ts'
import { mapArrayOf } from './map-array.ts'
import { withScheme } from './open-case.ts'
import type { NamedClasses } from './scheme.ts'

/** Maps of one row of voxels each. */
function maps(values: readonly (readonly number[])[], more: Partial<CaseMaps> = {}): Promise<CaseMaps> {
  const shape = [values.length, 1, 1, values[0].length]
  const array = mapArrayOf({ shape, data: Float32Array.from(values.flat()) }, 'x')
  return memoryMaps(array, 'x', {}).then((source) => ({ ...source, ...more }))
}
const softmax = [
  [0.9, 0.5, 0.1],
  [0.1, 0.5, 0.9],
]
const organs = [
  [0, 0.5, 0.9],
  [0, 0.5, 0.9],
]
const nested: NamedClasses = {
  maps: [
    { name: 'whole', labels: [1, 2] },
    { name: 'core', labels: [2] },
  ],
  where: '--classes',
}

test('arrays are classes that exclude each other; images by what they add up to', async () => {
  const kind = async (values: readonly (readonly number[])[], from: 'array' | 'image', more: Partial<CaseMaps> = {}) =>
    (await withScheme(await maps(values, more), undefined, {}, from)).scheme.kind
  expect(await kind(organs, 'array')).toBe('exclusive')
  expect(await kind(softmax, 'image')).toBe('exclusive')
  expect(await kind(organs, 'image')).toBe('separate')
  expect(await kind([softmax[0]], 'array')).toBe('separate')
  expect(await kind(organs, 'image', { numbers: { logits: 'softmax' } })).toBe('exclusive')
  expect(await kind(softmax, 'image', { numbers: { logits: 'sigmoid' } })).toBe('separate')
})

test('only what was guessed is told of', async () => {
  const told = async (decode: 'exclusive' | 'separate' | undefined, named?: NamedClasses) =>
    (await withScheme(await maps(softmax), named, { decode }, 'image')).source.warnings
  expect(await told(undefined)).toEqual([expect.stringMatching(/2 maps add up to 1.*first map as the background/)])
  const own: NamedClasses = {
    maps: [
      { name: 'a', labels: [1] },
      { name: 'b', labels: [2] },
    ],
    where: '--classes',
  }
  expect(await told(undefined, own)).toEqual([expect.not.stringContaining('background')])
  expect(await told('exclusive')).toEqual([])
  expect(await told('separate')).toEqual([])
  // Classes that overlap are no softmax, whatever they add up to.
  expect(await told(undefined, nested)).toEqual([])
})

test('regions that a .pkl names need the labels of each', async () => {
  const source = await maps(organs, { regionsClassOrder: [1, 2] })
  await expect(withScheme(source, undefined, {}, 'array')).rejects.toThrow(
    /regions_class_order 1, 2\); name the labels/,
  )
  const { scheme } = await withScheme(source, nested, {}, 'array')
  expect(scheme).toEqual({ kind: 'regions', maps: nested.maps, paint: [1, 2] })
  await expect(withScheme(await maps(organs), nested, {}, 'array')).rejects.toThrow('--decode regions')
})

test('an order of painting that contradicts the regions is warned about', async () => {
  const open = async (paint: readonly number[]) =>
    (await withScheme(await maps(organs), { ...nested, kind: 'regions', paint }, {}, 'array')).source.warnings
  expect(await open([1, 2])).toEqual([])
  expect(await open([2, 1])).toEqual([
    expect.stringMatching(
      /regions_class_order 2, 1 contradicts its regions \(.*\); they are painted one over the other/,
    ),
  ])
})

test('names that do not fit the maps are refused', async () => {
  const three = { ...nested, maps: [...nested.maps, undefined] }
  await expect(withScheme(await maps(organs), three, {}, 'image')).rejects.toThrow(InputError)
  await expect(withScheme(await maps(organs), three, {}, 'image')).rejects.toThrow('has 2 maps, --classes names 3')
})
