import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createGrid, type Grid, type Vec3, voxelCount } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { sampleDisplacement } from './displacement.ts'
import { marginal } from './marginal.ts'
import type { NoiseModel } from './model.ts'
import { createSampler } from './sampler.ts'

/**
 * The definition of docs/theory.md, "A noise model for contours", voxel by voxel, in double precision; −1 where
 * rounding decides.
 */
function bruteForce(labels: LabelArray, grid: Grid, noise: NoiseModel, seed: number, index: number): Float64Array {
  const field = sampleDisplacement(grid, noise, seed, index)
  return Float64Array.from(labels, (_, i) => {
    const voxel = [
      i % grid.shape[0],
      Math.floor(i / grid.shape[0]) % grid.shape[1],
      Math.floor(i / grid.shape[0] / grid.shape[1]),
    ]
    const moved = voxel.map((v, axis) => v + field[axis][i] / grid.spacing[axis])
    if (moved.some((v) => Math.abs(v - Math.floor(v) - 0.5) < 1e-4)) return -1
    const [x, y, z] = moved.map((v, axis) => Math.max(0, Math.min(grid.shape[axis] - 1, Math.floor(v + 0.5))))
    return labels[(z * grid.shape[1] + y) * grid.shape[0] + x]
  })
}

/** A few balls of different labels, some beyond the border. */
function scene(grid: Grid, Type: new (n: number) => LabelArray, seed: number, labelOf = (ball: number) => ball + 1) {
  const labels = new Type(voxelCount(grid))
  for (let ball = 0; ball < 5; ball++) {
    const centre = grid.shape.map((n, axis) => ((seed * (ball + 3) * (axis + 7) * 2654435761) % 1000) * (n / 1000))
    const radius = 2 + ((seed + ball * 5) % 7)
    for (let i = 0; i < labels.length; i++) {
      const d = Math.hypot(
        (i % grid.shape[0]) - centre[0],
        (Math.floor(i / grid.shape[0]) % grid.shape[1]) - centre[1],
        Math.floor(i / grid.shape[0] / grid.shape[1]) - centre[2],
      )
      if (d <= radius) labels[i] = labelOf(ball)
    }
  }
  return labels
}

test('moves every label by the field, as the definition says', () => {
  const side = fc.integer({ min: 1, max: 40 })
  const mm = fc.double({ min: 0.4, max: 3, noNaN: true })
  const sigma = fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 5, arbitrary: mm })
  fc.assert(
    fc.property(
      fc.tuple(side, side, fc.integer({ min: 1, max: 20 })),
      fc.tuple(mm, mm, mm),
      fc.tuple(sigma, sigma, sigma).filter((s) => s.some((v) => v > 0)),
      fc.double({ min: 0.5, max: 60, noNaN: true }),
      fc.constantFrom(Uint8Array, Int16Array, Int32Array, Uint16Array),
      fc.nat(),
      (shape, spacing, sigmaMm, lengthMm, Type, seed) => {
        const grid = createGrid(shape, spacing)
        const labels = scene(grid, Type, seed % 1000)
        const noise = { sigmaMm, lengthMm }
        const sampler = createSampler(labels, grid, noise)
        for (const index of [0, 5]) {
          const expected = bruteForce(labels, grid, noise, seed, index)
          const sample = sampler.sample(seed, index)
          let undecided = 0
          for (let i = 0; i < sample.length; i++) {
            if (expected[i] < 0) undecided++
            else if (sample[i] !== expected[i]) expect.fail(`voxel ${i}: ${sample[i]}, expected ${expected[i]}`)
          }
          expect(undecided).toBeLessThanOrEqual(10 + sample.length * 0.005)
        }
      },
    ),
    { numRuns: 60 },
  )
})

describe('what a sample depends on', () => {
  const grid = createGrid([70, 50, 30], [1, 1, 2])
  const noise = { sigmaMm: [3, 2, 2], lengthMm: 6 } as const
  const labels = scene(grid, Uint8Array, 11)

  test('seed and index alone: not on what was drawn before, nor on reused memory', () => {
    const fresh = createSampler(labels, grid, noise).sample(4, 9)
    const sampler = createSampler(labels, grid, noise)
    const out = sampler.sample(1, 1)
    expect(sampler.sample(4, 9, out)).toBe(out)
    expect(out).toEqual(fresh)
    expect(sampler.sample(4, 8)).not.toEqual(fresh)
    expect(sampler.sample(5, 9)).not.toEqual(fresh)
  })

  test('not on the type or the names of the labels', () => {
    const bytes = createSampler(labels, grid, noise).sample(0, 0)
    const renamed = Int32Array.from(labels, (v) => v * 100_000 - 7)
    const moved = createSampler(renamed, grid, noise).sample(0, 0)
    expect(moved).toEqual(Int32Array.from(bytes, (v) => v * 100_000 - 7))
  })

  test('not on empty space around the organs', () => {
    const larger = createGrid([100, 90, 60], grid.spacing)
    const at = (g: Grid, i: number) => {
      const [x, y, z] = [i % 70, Math.floor(i / 70) % 50, Math.floor(i / 3500)]
      return (z * g.shape[1] + y) * g.shape[0] + x
    }
    // Nothing at the far border, where the continuation of the smaller grid would differ.
    const inner = labels.map((v, i) => (i % 70 < 45 && Math.floor(i / 70) % 50 < 35 && i < 3500 * 18 ? v : 0))
    const padded = new Uint8Array(voxelCount(larger))
    inner.forEach((v, i) => {
      padded[at(larger, i)] = v
    })
    const small = createSampler(inner, grid, noise).sample(0, 3)
    const large = createSampler(padded, larger, noise).sample(0, 3)
    expect(small.map((_, i) => large[at(larger, i)])).toEqual(small)
  })

  test('sampleBox is the box of the sample; beyond it nothing changes', () => {
    const sampler = createSampler(labels, grid, noise)
    const whole = sampler.sample(2, 2)
    const { start, shape } = sampler.box!
    const inside = sampler.sampleBox(2, 2)
    const pasted = labels.slice()
    inside.forEach((v, i) => {
      const [x, y, z] = [i % shape[0], Math.floor(i / shape[0]) % shape[1], Math.floor(i / shape[0] / shape[1])]
      pasted[((start[2] + z) * 50 + start[1] + y) * 70 + start[0] + x] = v
    })
    expect(pasted).toEqual(whole)
  })
})

test('a map of one label is returned as it is', () => {
  const grid = createGrid([5, 5, 5])
  const sampler = createSampler(new Uint8Array(125).fill(3), grid, { sigmaMm: [1, 1, 1], lengthMm: 2 })
  expect(sampler.box).toBeUndefined()
  expect(sampler.sample(0, 0)).toEqual(new Uint8Array(125).fill(3))
  expect(sampler.sampleBox(0, 0)).toHaveLength(0)
})

test('σ, ℓ and the number of labels are checked', () => {
  const grid = createGrid([70_000, 1, 1])
  const one = new Uint8Array(70_000)
  const make = (sigmaMm: Vec3, lengthMm: number) => () => createSampler(one, grid, { sigmaMm, lengthMm })
  expect(make([0, 0, 0], 1)).toThrow('sigma: is 0,0,0')
  expect(make([1, -1, 1], 1)).toThrow('sigma')
  expect(make([1, Number.NaN, 1], 1)).toThrow('sigma')
  expect(make([1, 1, 1], 0)).toThrow('length: is 0')
  expect(make([1, 1, 1], Number.POSITIVE_INFINITY)).toThrow('length')
  const many = Int32Array.from({ length: 70_000 }, (_, i) => i)
  expect(() => createSampler(many, grid, { sigmaMm: [1, 1, 1], lengthMm: 1 })).toThrow('at most 65536')
})

describe('frequencies over many samples agree with the closed-form marginals, voxel by voxel', () => {
  const settings: { name: string; shape: Vec3; spacing: Vec3; sigmaMm: Vec3; lengthMm: number }[] = [
    { name: '3-D, anisotropic', shape: [36, 30, 14], spacing: [1, 1, 2.5], sigmaMm: [2, 1, 3], lengthMm: 3 },
    { name: '2-D', shape: [60, 50, 1], spacing: [1, 1, 1], sigmaMm: [2, 2, 2], lengthMm: 4 },
    {
      name: 'σ as large as the organ, long ℓ',
      shape: [30, 30, 20],
      spacing: [1, 1, 1],
      sigmaMm: [6, 6, 6],
      lengthMm: 15,
    },
    { name: 'σ below a voxel', shape: [30, 30, 20], spacing: [1, 1, 1], sigmaMm: [0.3, 0.3, 0.3], lengthMm: 0.5 },
  ]
  test.each(settings)('$name', ({ shape, spacing, sigmaMm, lengthMm }) => {
    const grid = createGrid(shape, spacing)
    const labels = scene(grid, Uint8Array, 5, (ball) => 1 + (ball % 2))
    const n = 3000
    const counts = [new Float64Array(labels.length), new Float64Array(labels.length)]
    const sampler = createSampler(labels, grid, { sigmaMm, lengthMm })
    const out = labels.slice()
    for (let s = 0; s < n; s++) {
      sampler.sample(21, s, out)
      for (let i = 0; i < out.length; i++) if (out[i] > 0) counts[out[i] - 1][i]++
    }
    for (const label of [1, 2]) {
      const m = marginal(labels, grid, label, sigmaMm)
      let tested = 0
      let sumOfSquares = 0
      let worst = 0
      for (let i = 0; i < m.length; i++) {
        const variance = n * m[i] * (1 - m[i])
        const z = Math.abs(counts[label - 1][i] - n * m[i])
        if (variance < 9) {
          // Too rare for a normal approximation: a count that Poisson's tail puts below 10⁻⁸.
          expect(z).toBeLessThan(6 * Math.sqrt(variance) + 8)
          continue
        }
        tested++
        sumOfSquares += z ** 2 / variance
        worst = Math.max(worst, z / Math.sqrt(variance))
      }
      expect(tested).toBeGreaterThan(100)
      // 10⁴ correlated tests: |z| beyond 5.5 has probability 4·10⁻⁴ over all; z² averages 1 (neighbours correlate).
      expect(worst).toBeLessThan(5.5)
      expect(sumOfSquares / tested).toBeLessThan(1.5)
    }
  })
})

test('sample numbers beyond 32 bits are samples of their own; those below stay what they were', () => {
  const grid = createGrid([24, 20, 16])
  const ball = Uint8Array.from({ length: 24 * 20 * 16 }, (_, n) => {
    const [i, j, k] = [n % 24, Math.floor(n / 24) % 20, Math.floor(n / 480)]
    return Number(Math.hypot(i - 12, j - 10, k - 8) < 6)
  })
  const sampler = createSampler(ball, grid, { sigmaMm: [2, 2, 2], lengthMm: 8 })
  const digest = (index: number) => createHash('sha256').update(sampler.sample(7, index)).digest('hex').slice(0, 12)
  const found = [0, 1, 3, 2 ** 32, 2 ** 32 + 1, 2 ** 33 + 1].map(digest)
  expect(new Set(found).size).toBe(6)
  // These bits are a promise (docs/reproducibility.md): another version must draw the same labels.
  expect(found.slice(0, 3)).toEqual(['3cf96b09a445', '8a44129bfb6e', 'baa4df75a208'])
})
