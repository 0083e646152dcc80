import fc from 'fast-check'
import { expect, test } from 'vitest'
import { marginal } from '../noise/marginal.ts'
import { createGrid } from '../volume/grid.ts'
import { thresholdMask } from './mask.ts'
import { volumeCut } from './volume-cut.ts'

const maps = fc.array(
  fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.25, 0.5, 1), fc.constant(1e-40)),
  { minLength: 1, maxLength: 60 },
)

test('no other cut comes nearer to the expected volume, and pieces are as the whole', () => {
  fc.assert(
    fc.property(maps, fc.nat(60), (values, at) => {
      const m = Float32Array.from(values)
      const { threshold, volume, probabilityVolume } = volumeCut(m)
      const total = m.reduce((a, b) => a + b, 0)
      expect(probabilityVolume).toBeCloseTo(total, 9)
      expect(volume).toBe(thresholdMask(m, threshold).reduce((a, b) => a + b, 0))
      for (const cut of new Set([2, ...m])) {
        if (cut === 0) continue
        const other = m.filter((p) => p >= cut).length
        expect(Math.abs(volume - total)).toBeLessThanOrEqual(Math.abs(other - total) + 1e-9)
      }
      expect(volumeCut([m.subarray(0, at), m.subarray(at)])).toEqual({ threshold, volume, probabilityVolume })
    }),
    { numRuns: 500 },
  )
})

test('plateaus are in or out as a whole; of two that are equally near, in', () => {
  expect(volumeCut(new Float32Array(10).fill(0.75))).toMatchObject({ volume: 10 })
  expect(volumeCut(new Float32Array(10).fill(0.5))).toEqual({ threshold: 0.5, volume: 10, probabilityVolume: 5 })
  const low = volumeCut(new Float32Array(10).fill(0.25))
  expect(low).toMatchObject({ volume: 0, probabilityVolume: 2.5 })
  expect(low.threshold).toBeGreaterThan(0.25)
  expect(volumeCut(new Float32Array(3))).toEqual({ threshold: 0.5, volume: 0, probabilityVolume: 0 })
  // The threshold is a probability of the mask, which no rounding of it takes out.
  expect(volumeCut(Float32Array.of(0.75, 0.25, 0.25, 0.25)).threshold).toBe(0.75)
  expect(volumeCut(Float32Array.of(1, 1, 0))).toEqual({ threshold: 1, volume: 2, probabilityVolume: 2 })
})

test('a ball comes back whole from noise that empties the cut at ½', () => {
  // The marginal of a ball is round, so that the cut of its volume is the ball itself, but for voxels on its surface.
  const n = 41
  const grid = createGrid([n, n, n])
  const inside = (i: number) => Math.hypot((i % n) - 20, (Math.floor(i / n) % n) - 20, Math.floor(i / n / n) - 20) <= 6
  const ball = Uint8Array.from({ length: n ** 3 }, (_, i) => Number(inside(i)))
  const m = marginal(ball, grid, 1, [4, 4, 4])
  expect(m.reduce((a, b) => Math.max(a, b), 0)).toBeLessThan(0.5)
  const { threshold, volume } = volumeCut(m)
  const size = ball.reduce((a, b) => a + b, 0)
  // 24 voxels and more share a distance from the centre.
  expect(Math.abs(volume - size)).toBeLessThan(24)
  const both = thresholdMask(m, threshold).reduce((sum, s, i) => sum + (s & ball[i]), 0)
  expect((2 * both) / (volume + size)).toBeGreaterThan(0.98)
})
