import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearOptimalThresholds, softDiceCurve } from './dice-curve.ts'
import { softDiceOptimum } from './soft-dice.ts'
import { generator } from './testing/random.ts'

function softDice(m: Float32Array, threshold: number): number {
  const total = m.reduce((a, b) => a + b, 0)
  const mask = m.filter((x) => x >= threshold)
  return (2 * mask.reduce((a, b) => a + b, 0)) / (mask.length + total)
}

const probability = fc.oneof(
  fc.integer({ min: 0, max: 16 }).map((k) => k / 16),
  fc.float({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom(-0, 2 ** -149, 1e-20),
)

test('softDiceCurve equals the definition at any thresholds', () => {
  fc.assert(
    fc.property(
      fc.array(probability, { maxLength: 40 }),
      fc.uniqueArray(fc.oneof(fc.double({ min: 1e-300, max: 1.5, noNaN: true }), fc.constantFrom(0.25, 0.5, 1)), {
        maxLength: 20,
      }),
      fc.nat(40),
      (values, thresholds, at) => {
        const m = new Float32Array(values)
        fc.pre(m.some((x) => x > 0))
        thresholds.sort((a, b) => a - b)
        const curve = softDiceCurve([m.subarray(0, at), m.subarray(at)], thresholds)
        for (const [i, t] of thresholds.entries()) {
          expect(curve.dice[i]).toBeCloseTo(softDice(m, t), 12)
          expect(curve.volumes[i]).toBe(m.filter((x) => x >= t).length)
        }
      },
    ),
  )
  expect([...softDiceCurve(new Float32Array(3), [0.1, 0.5]).dice]).toEqual([1, 1])
})

test('the curve rises up to t*, is D* there, and falls', () => {
  const random = generator(21)
  const m = Float32Array.from({ length: 20_000 }, () => random() ** 3)
  const { threshold, supDice } = softDiceOptimum(m)
  const below = Array.from({ length: 50 }, (_, i) => (threshold * (i + 1)) / 50)
  const above = Array.from({ length: 50 }, (_, i) => threshold + ((1 - threshold) * (i + 1)) / 51)
  const { dice } = softDiceCurve(m, [...below, ...above])
  expect(dice[49]).toBeCloseTo(supDice, 13)
  for (let i = 1; i < 50; i++) expect(dice[i]).toBeGreaterThanOrEqual(dice[i - 1])
  for (let i = 50; i < 100; i++) expect(dice[i]).toBeLessThanOrEqual(dice[i - 1])
})

test('nearOptimalThresholds: inside the loss is kept, a step outside it is not', () => {
  const random = generator(22)
  for (const power of [0.5, 1, 4]) {
    for (const loss of [0.01, 0.001]) {
      const m = Float32Array.from({ length: 20_000 }, () => random() ** power)
      const { supDice, threshold } = softDiceOptimum(m)
      const { low, high } = nearOptimalThresholds(m, loss)
      expect(low).toBeLessThanOrEqual(threshold)
      expect(high).toBeGreaterThanOrEqual(threshold)
      const curve = softDiceCurve(m, [low * (1 - 2 ** -10), low, threshold, high, high * (1 + 2 ** -10)]).dice
      expect(curve[0]).toBeLessThan(supDice - loss)
      expect(Math.min(curve[1], curve[2], curve[3])).toBeGreaterThanOrEqual(supDice - loss - 1e-14)
      expect(curve[4]).toBeLessThan(supDice - loss)
    }
  }
  expect(nearOptimalThresholds(new Float32Array([1, 1, 0]))).toEqual({ low: 2 ** -149, high: 1 })
  expect(nearOptimalThresholds(new Float32Array(2))).toEqual({ low: 0, high: 1 })
})
