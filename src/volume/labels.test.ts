import { expect, test } from 'vitest'
import { InputError } from './errors.ts'
import { createGrid } from './grid.ts'
import { labelMapOf } from './labels.ts'
import type { Volume, VoxelArray } from './volume.ts'

const volume = (data: VoxelArray, more: Partial<Volume> = {}): Volume => ({
  grid: createGrid([data.length, 1, 1]),
  channels: 1,
  data,
  ...more,
})

test('integer data are used in place, with the labels that occur', () => {
  const data = Int16Array.of(0, 0, 7, 7, -3, 0)
  const map = labelMapOf(volume(data), 'x')
  expect(map.values).toBe(data)
  expect(map.labels).toEqual([-3, 0, 7])
})

test('whole numbers stored as floats or through a slope are converted', () => {
  expect(labelMapOf(volume(Float32Array.of(0, 2, 117)), 'x')).toEqual({
    values: Int32Array.of(0, 2, 117),
    labels: [0, 2, 117],
  })
  const scaled = volume(Uint8Array.of(0, 2, 4), { scaling: { slope: 0.5, intercept: 1 } })
  expect(labelMapOf(scaled, 'x').labels).toEqual([1, 2, 3])
})

test.each([
  [Float32Array.of(0, 0.5)],
  [Float64Array.of(Number.NaN)],
  [Float64Array.of(Number.POSITIVE_INFINITY)],
  [Float64Array.of(2 ** 40)],
])('%s is refused', (data) => {
  expect(() => labelMapOf(volume(data), 'a.nii')).toThrow(InputError)
})

test('several channels are refused', () => {
  expect(() => labelMapOf({ ...volume(Uint8Array.of(1, 2)), channels: 2 }, 'a.nii')).toThrow(/2 channels/)
})
