import { expect, test } from 'vitest'
import { realValue, realValues, storedValue, unscaled } from './scaling.ts'

test('slope · stored + intercept, and back', () => {
  const scaling = { slope: 0.5, intercept: -3 }
  expect(realValue(10, scaling)).toBe(2)
  expect(storedValue(2, scaling)).toBe(10)
  expect(realValue(7, unscaled)).toBe(7)
  expect(realValues(Int16Array.of(10, -2), scaling)).toEqual(Float32Array.of(2, -4))
  expect(realValues(Int16Array.of(10, -2), undefined)).toEqual(Float32Array.of(10, -2))
  // What float32 would round is kept where the array allows.
  expect(realValues(Int32Array.of(2 ** 24 + 1), { slope: 1, intercept: 0 }, new Float64Array(1))[0]).toBe(2 ** 24 + 1)
})
