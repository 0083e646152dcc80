import fc from 'fast-check'
import { expect, test } from 'vitest'
import { accuracyOptimum } from './accuracy.ts'
import { iouOptimum } from './iou.ts'
import { thresholdMask } from './mask.ts'

const eighths = fc.array(
  fc.integer({ min: 0, max: 8 }).map((k) => k / 8),
  { minLength: 1, maxLength: 10 },
)

/** The best value of a measure over all masks, and the volumes of the masks that reach it up to rounding. */
function bruteForce(m: readonly number[], measure: (mask: readonly number[]) => number) {
  const values = Array.from({ length: 1 << m.length }, (_, subset) => {
    const mask = m.map((_, i) => (subset >> i) & 1)
    return { value: measure(mask), volume: mask.reduce((a, b) => a + b, 0) }
  })
  const sup = Math.max(...values.map((v) => v.value))
  const volumes = values.filter((v) => v.value > sup - 1e-13).map((v) => v.volume)
  return { sup, smallest: Math.min(...volumes), largest: Math.max(...volumes) }
}

test('accuracyOptimum against all masks', () => {
  fc.assert(
    fc.property(eighths, (m) => {
      const optimum = accuracyOptimum(new Float32Array(m))
      const best = bruteForce(m, (s) => s.reduce((a, si, i) => a + (si ? m[i] : 1 - m[i]), 0) / m.length)
      expect(optimum.supAccuracy).toBeCloseTo(best.sup, 13)
      expect([optimum.volumeWithoutTies, optimum.volume]).toEqual([best.smallest, best.largest])
    }),
  )
})

test('iouOptimum against all masks', () => {
  fc.assert(
    fc.property(eighths, (m) => {
      fc.pre(m.some((x) => x > 0))
      const total = m.reduce((a, b) => a + b, 0)
      const best = bruteForce(m, (s) => {
        const overlap = s.reduce((a, si, i) => a + si * m[i], 0)
        return overlap / (s.reduce((a, b) => a + b, 0) + total - overlap)
      })
      const optimum = iouOptimum(new Float32Array(m))
      expect(optimum.supIou).toBeCloseTo(best.sup, 13)
      expect([optimum.volumeWithoutTies, optimum.volume]).toEqual([best.smallest, best.largest])
      expect(optimum.threshold).toBeCloseTo(best.sup / (1 + best.sup), 13)
      expect(optimum.iouAtHalf).toBeLessThanOrEqual(optimum.supIou)
    }),
  )
})

test('nothing but zeros', () => {
  expect(accuracyOptimum([])).toMatchObject({ supAccuracy: 1, volume: 0, volumeRatio: 1 })
  expect(accuracyOptimum(new Float32Array(9))).toMatchObject({ supAccuracy: 1, volume: 0, volumeRatio: 1 })
  expect(iouOptimum(new Float32Array(9))).toMatchObject({ supIou: 1, iouAtHalf: 1, threshold: 0.5, volume: 0 })
})

test('thresholdMask compares each float32 as the float64 it equals', () => {
  const m = new Float32Array([0, -0, 2 ** -149, 0.1, Math.fround(1 / 3), 0.5, 1, Number.NaN])
  fc.assert(
    fc.property(
      fc.oneof(fc.double({ min: 0, max: 1.5, noNaN: true }), fc.constantFrom(...m.subarray(0, 7), 0.1, 1 / 3)),
      (t) => {
        expect([...thresholdMask(m, t)]).toEqual([...m].map((x) => (x >= t ? 1 : 0)))
      },
    ),
  )
  expect([...thresholdMask(m, 0)]).toEqual([1, 1, 1, 1, 1, 1, 1, 0])
})
