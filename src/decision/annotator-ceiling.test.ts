import { describe, expect, test } from 'vitest'
import { marginal } from '../noise/marginal.ts'
import { createSampler } from '../noise/sampler.ts'
import { createGrid } from '../volume/grid.ts'
import { annotatorCeiling } from './annotator-ceiling.ts'
import { softDiceOptimumBySort } from './soft-dice-by-sort.ts'

const grid = createGrid([40, 36, 20], [1, 1, 2])
const ball = (radius: number, x = 20) =>
  Uint8Array.from({ length: 40 * 36 * 20 }, (_, i) =>
    Number(Math.hypot((i % 40) - x, (Math.floor(i / 40) % 36) - 18, 2 * (Math.floor(i / 1440) - 10)) < radius),
  )
const reference = ball(9)
const noise = { sigmaMm: [1.5, 1.5, 1], lengthMm: 6, presence: 0.7, biasMm: 0.3, biasSdMm: 0.8 } as const
const count = (mask: Uint8Array) => mask.reduce((sum, v) => sum + v, 0)
const dice = (a: Uint8Array, b: Uint8Array) => (2 * count(a.map((v, i) => v & b[i]))) / (count(a) + count(b))
const { presence: _, ...drawing } = noise

describe('the ceiling that annotators leave', () => {
  test('is D* of their marginals, and the prediction’s soft Dice with them, of the whole image', () => {
    const m = marginal(reference, grid, 1, drawing)
    const prediction = ball(8, 22)
    const found = annotatorCeiling(prediction, reference, grid, 1, noise)
    expect(found?.best).toBeCloseTo(softDiceOptimumBySort(m).supDice, 5)
    const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0)
    const inside = sum(m.map((share, i) => share * prediction[i]))
    expect(found?.expected).toBeCloseTo((2 * inside) / (sum(prediction) + sum(m)), 5)
    expect(found?.reached).toBeCloseTo((found?.expected ?? 0) / (found?.best ?? 1), 12)
    expect(annotatorCeiling(new Uint8Array(reference.length), reference, grid, 1, noise)?.expected).toBe(0)
  })

  test('has the mean Dice of two annotators, as many pairs have it', () => {
    const sampler = createSampler(reference, grid, drawing)
    const pairs = Array.from({ length: 150 }, (_, i) => dice(sampler.sample(9, 2 * i), sampler.sample(9, 2 * i + 1)))
    const mean = pairs.reduce((a, b) => a + b, 0) / pairs.length
    const sd = Math.sqrt(pairs.reduce((sum, d) => sum + (d - mean) ** 2, 0) / pairs.length)
    const found = annotatorCeiling(reference, reference, grid, 1, noise)
    // 28 pairs of 8 annotators are worth at least 4 independent ones.
    expect(Math.abs((found?.annotators ?? 0) - mean)).toBeLessThan(3 * sd * Math.sqrt(1 / 4 + 1 / 150))
    expect(found?.best).toBeGreaterThan(mean)
  })

  test('counts neither voxels that nobody annotated nor other labels, and is none of an absent one', () => {
    const partly = Int16Array.from(reference, (v, i) => (i % 40 < 6 ? -1 : 3 * v))
    const prediction = Int16Array.from(partly, (v, i) => (i % 40 < 6 ? 3 : v === 0 ? 2 : v))
    const whole = annotatorCeiling(
      Int16Array.from(reference, (v) => 3 * v),
      Int16Array.from(reference, (v) => 3 * v),
      grid,
      3,
      noise,
    )
    const part = annotatorCeiling(prediction, partly, grid, 3, noise)
    // Six voxels of the edge: beyond the reach of nearly all annotators.
    expect(part?.expected).toBeCloseTo(whole?.expected ?? 0, 3)
    expect(annotatorCeiling(reference, reference, grid, 2, noise)).toBeUndefined()
  })
})
