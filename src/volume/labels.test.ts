import { describe, expect, test } from 'vitest'
import { InputError } from './errors.ts'
import { createGrid } from './grid.ts'
import { holdsLabels, labelMapOf } from './labels.ts'
import type { Volume, VoxelArray } from './volume.ts'

const volume = (data: VoxelArray, more: Partial<Volume> = {}): Volume => ({
  grid: createGrid([data.length, 1, 1]),
  channels: 1,
  data,
  ...more,
})

test('integer data are used in place, with the labels that occur', () => {
  const data = Int16Array.of(0, 0, 7, 7, 3, 0)
  const map = labelMapOf(volume(data), 'x')
  expect(map.values).toBe(data)
  expect(map.labels).toEqual([0, 3, 7])
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
  [Int16Array.of(0, 1, -1)],
  [Float32Array.of(-1)],
  [Int32Array.of(0, 65_536)],
  [Uint32Array.of(4_294_967_295)],
  [Float64Array.of(0.9999)],
])('%s is refused', (data) => {
  expect(() => labelMapOf(volume(data), 'a.nii')).toThrow(InputError)
})

test('several channels are refused', () => {
  expect(() => labelMapOf({ ...volume(Uint8Array.of(1, 2)), channels: 2 }, 'a.nii')).toThrow(/2 channels/)
})

test('an image of intensities is no label map: it has too many values', () => {
  const ramp = (n: number) => volume(Uint16Array.from({ length: n }, (_, i) => i))
  expect(labelMapOf(ramp(1024), 'x').labels.length).toBe(1024)
  expect(() => labelMapOf(ramp(1025), 'ct.nii')).toThrow(/ct\.nii: holds more than 1024 different numbers/)
  expect(labelMapOf(volume(Uint16Array.of(65_535)), 'x').labels).toEqual([65_535])
})

describe('label maps that were scaled when they were saved', () => {
  // As nibabel does: labels over all numbers of the type, slope and intercept in float32, codes to the nearest.
  const saved = (top: number, type: 'uint8' | 'int16' | 'int32') => {
    const [least, most] = { uint8: [0, 255], int16: [-32_768, 32_767], int32: [-(2 ** 31), 2 ** 31 - 1] }[type]
    const slope = Math.fround(top / (most - least))
    const intercept = Math.fround(-least * (top / (most - least)))
    const array = { uint8: Uint8Array, int16: Int16Array, int32: Int32Array }[type]
    const labels = Array.from({ length: top + 1 }, (_, i) => i)
    const codes = labels.map((label) => Math.min(most, Math.max(least, Math.round((label - intercept) / slope))))
    return volume(array.from(codes), { scaling: { slope, intercept } })
  }
  test.each(['uint8', 'int16', 'int32'] as const)('%s', (type) => {
    for (const top of [1, 2, 3, 4, 5, 7, 13, 24, 117]) {
      const map = saved(top, type)
      const { values } = labelMapOf(map, `${top}`)
      expect([...values]).toEqual(Array.from({ length: top + 1 }, (_, i) => i))
      expect(holdsLabels(map)).toBe(true)
    }
  })

  test('probabilities and intensities behind a slope are none', () => {
    const bytes = Uint8Array.of(0, 128, 255)
    expect(holdsLabels(volume(bytes, { scaling: { slope: 2, intercept: 0 } }))).toBe(true)
    for (const slope of [1 / 255, 0.75, 1.5, 2.25]) {
      expect(holdsLabels(volume(bytes, { scaling: { slope, intercept: 0 } }))).toBe(false)
    }
  })

  test('what a float64 copy of them holds is read as well, and no more than that', () => {
    expect(labelMapOf(volume(Float64Array.of(0.9999999997671694, 1.0000000591389835, -1e-10)), 'x').labels).toEqual([
      0, 1,
    ])
    expect(holdsLabels(volume(Float64Array.of(1, 0.99999)))).toBe(false)
    expect(holdsLabels(volume(Float32Array.of(1, 1e-5)))).toBe(false)
  })
})
