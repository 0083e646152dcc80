import { expect, test } from 'vitest'
import { normalCdf } from './normal-cdf.ts'
import { normalQuantile } from './normal-quantile.ts'

test('inverts the distribution function, in both tails and across the change of formula', () => {
  for (const p of [1e-12, 1e-4, 0.02, 0.02424, 0.02426, 0.1, 0.3, 0.499, 0.5, 0.7, 0.98, 0.9999]) {
    expect(Math.abs(normalCdf(normalQuantile(p)) / p - 1)).toBeLessThan(1e-7)
  }
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963985, 7)
  expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY)
  expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY)
})
