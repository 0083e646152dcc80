import { expect, test } from 'vitest'
import { cutLevels } from './cut-levels.ts'
import { ExactSum } from './exact-sum.ts'

const sumOf = (terms: readonly number[]) => {
  const sum = new ExactSum()
  for (const x of terms) sum.add(x)
  return sum.value
}

test('terms that a plain sum loses are kept, whichever of the two is larger', () => {
  expect([1, 1e100, 1, -1e100].reduce((a, b) => a + b)).toBe(0)
  expect(sumOf([1, 1e100, 1, -1e100])).toBe(2)
  expect(sumOf([1e100, 1, -1e100, 1])).toBe(2)
  expect(sumOf([-1, -1e100, -1, 1e100])).toBe(-2)
  expect(sumOf(Array.from({ length: 10 }, () => 0.1))).toBe(1)
  expect(sumOf([])).toBe(0)
})

test('a cut through levels: what it takes, where it ends, and how many voxels lie on it', () => {
  const levels = (...pairs: [value: number, count: number][]) => ({
    values: Float64Array.from(pairs, ([value]) => value),
    counts: Float64Array.from(pairs, ([, count]) => count),
  })
  const none = { sum: 0, count: 0 }
  // 1 alone gives 1/(1 + 1.5) = 0.4, with the half 1.5/(2 + 1.5) = 0.43: taken.
  expect(cutLevels(levels([0.5, 1], [1, 1]), none, 1.5)).toEqual({ threshold: 1.5 / 3.5, sum: 1.5, count: 2, ties: 0 })
  // A level that equals the ratio exactly is a tie, of as many voxels as have it: 1/(1 + 1) = ½.
  expect(cutLevels(levels([0.5, 3], [1, 1]), none, 1)).toEqual({ threshold: 0.5, sum: 2.5, count: 4, ties: 3 })
  expect(cutLevels(levels([0.5, 4]), { sum: 1, count: 1 }, 1)).toEqual({ threshold: 0.5, sum: 3, count: 5, ties: 4 })
  // Levels without voxels and zeros are none.
  expect(cutLevels(levels([0, 9], [0.7, 0]), none, 3)).toEqual({ threshold: 0, sum: 0, count: 0, ties: 0 })
  expect(cutLevels(levels(), { sum: 2, count: 2 }, 2)).toEqual({ threshold: 0.5, sum: 2, count: 2, ties: 0 })
})
