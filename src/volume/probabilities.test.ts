import { expect, test } from 'vitest'
import { createGrid } from './grid.ts'
import { probabilitiesOf } from './probabilities.ts'
import type { Volume, VoxelArray } from './volume.ts'

const volume = (data: VoxelArray, more: Partial<Volume> = {}): Volume => ({
  grid: createGrid([data.length, 1, 1]),
  channels: 1,
  data,
  ...more,
})

test('float32 within [0, 1] is returned in place', () => {
  const data = Float32Array.of(0, 0.25, 1)
  expect(probabilitiesOf(volume(data), 'x')).toBe(data)
})

test('scaling of the file and --scale both apply', () => {
  const stored = volume(Uint16Array.of(0, 65535), { scaling: { slope: 1 / 65535, intercept: 0 } })
  expect(probabilitiesOf(stored, 'x')).toEqual(Float32Array.of(0, 1))
  expect(probabilitiesOf(volume(Int16Array.of(0, 126, 252)), 'x', { scale: 252 })).toEqual(Float32Array.of(0, 0.5, 1))
})

test('round-off is clamped without touching the input', () => {
  const data = Float32Array.of(-1e-6, 1.00001)
  expect(probabilitiesOf(volume(data), 'x')).toEqual(Float32Array.of(0, 1))
  expect(data[1]).toBeGreaterThan(1)
})

test('what is out of range is refused with a remedy', () => {
  const read = (data: VoxelArray) => () => probabilitiesOf(volume(data), 'p.nii')
  expect(read(Int16Array.of(0, 252))).toThrow('p.nii: values run from 0 to 252, not within [0, 1]; if they')
  expect(read(Int16Array.of(0, 252))).toThrow('--scale 255')
  expect(read(Float32Array.of(-3, 4))).toThrow('logits')
  expect(read(Float32Array.of(0, Number.NaN))).toThrow('voxel 1 is NaN')
  expect(read(Float64Array.of(Number.NEGATIVE_INFINITY))).toThrow('-Infinity')
})
