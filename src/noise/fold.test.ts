import { describe, expect, test } from 'vitest'
import { normalCdf } from '../kernels/normal-cdf.ts'
import { createGrid, type Vec3 } from '../volume/grid.ts'
import { foldProbability } from './fold.ts'

const fold = (sigmaMm: Vec3, lengthMm: number, shape: Vec3) =>
  foldProbability({ sigmaMm, lengthMm }, createGrid(shape, [1, 2, 3]))

test('one dimension: Φ(−ℓ/σ)', () => {
  expect(fold([2, 2, 2], 5, [50, 1, 1])).toBeCloseTo(normalCdf(-2.5), 14)
  expect(fold([0, 2, 0], 5, [50, 50, 50])).toBeCloseTo(normalCdf(-2.5), 14)
})

describe('against numpy: sign of the determinant of 8·10⁶ random matrices I + diag(σ/ℓ) Z', () => {
  // numpy.random.default_rng(0); frequency of numpy.linalg.det(…) <= 0 and its standard error.
  test.each<[Vec3, number, number]>([
    [[0.3, 0.3, 0], 0.00194575, 1.56e-5],
    [[0.5, 0.5, 0], 0.067611, 8.9e-5],
    [[0.6, 0, 0.2], 0.05145975, 7.8e-5],
    [[1 / 3, 1 / 3, 1 / 3], 0.01460425, 4.24e-5],
    [[0.5, 0.5, 0.5], 0.1307685, 1.19e-4],
    [[0.4, 0.2, 0.6], 0.078918125, 9.5e-5],
    [[1, 1, 1], 0.40053775, 1.73e-4],
    [[0.25, 0.25, 0.25], 0.000573625, 8.5e-6],
  ])('σ/ℓ = %j', (ratios, frequency, standardError) => {
    expect(Math.abs(fold(ratios, 1, [9, 9, 9]) - frequency)).toBeLessThan(3.5 * standardError)
  })
})

test('depends on σ/ℓ alone, rises with it, and a flat image counts as 2-D', () => {
  expect(fold([3, 3, 3], 9, [9, 9, 9])).toBeCloseTo(fold([1, 1, 1], 3, [20, 9, 9]), 12)
  expect(fold([3, 3, 3], 9, [9, 9, 1])).toBeCloseTo(fold([3, 3, 0], 9, [9, 9, 9]), 14)
  const rising = [0.01, 0.08, 0.1, 0.15, 0.2, 0.4, 1, 3].map((t) => fold([t, t, t], 1, [9, 9, 9]))
  expect(rising).toEqual([...rising].sort((a, b) => a - b))
  expect(rising[0]).toBe(0)
  expect(rising[1]).toBeGreaterThan(0)
  expect(rising.at(-1)).toBeLessThan(0.5)
})

test('the quadrature has converged where the densities are narrowest', () => {
  // Two axes at least as steep as the third: the 3-D value tends to the 2-D one as the third ratio vanishes.
  const ratio = fold([0.1, 0.1, 1e-9], 1, [9, 9, 9]) / fold([0.1, 0.1, 0], 1, [9, 9, 9])
  expect(Math.abs(ratio - 1)).toBeLessThan(0.01)
})
