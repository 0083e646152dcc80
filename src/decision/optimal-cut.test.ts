import fc from 'fast-check'
import { expect, test } from 'vitest'
import { optimalCut } from './optimal-cut.ts'
import { ceilBits } from './probabilities.ts'
import { criterionOffset } from './solve.ts'
import { generator } from './testing/random.ts'

const probability = fc.oneof(
  fc.integer({ min: 0, max: 16 }).map((k) => k / 16),
  fc.float({ min: 0, max: 1, noNaN: true }),
  fc.float({ min: Math.fround(0.3), max: Math.fround(0.4), noNaN: true }),
  fc.constantFrom(0, 1, 0.5, Math.fround(1 / 3), 2 ** -149, 2 ** -126, 1e-20),
)

test('no guess, however wrong, and no capacity, however small, changes the answer', () => {
  const bits = fc.integer({ min: 1, max: ceilBits(1) })
  fc.assert(
    fc.property(
      fc.array(probability, { maxLength: 60 }),
      fc.tuple(bits, bits),
      fc.nat(5),
      fc.constantFrom('soft-dice' as const, 'rma' as const),
      (values, [a, b], capacity, criterion) => {
        const m = new Float32Array(values)
        const offset = criterionOffset[criterion]
        const guess: [number, number] = [Math.min(a, b), Math.max(a, b) + 1]
        const { swept, cut } = optimalCut([m], criterion, guess, capacity)
        const expected = optimalCut([m], criterion)
        const ratio = (c: typeof cut) => c.sum / (c.count + swept.total + offset)
        if (swept.total === 0) expect(cut).toEqual(expected.cut)
        else {
          // Two masks whose ratios differ by rounding only are both right.
          expect(Math.abs(ratio(cut) - ratio(expected.cut))).toBeLessThanOrEqual(1e-15 * ratio(expected.cut))
          expect(m.filter((x) => x >= cut.threshold)).toHaveLength(cut.count)
          expect(m.filter((x) => x === cut.threshold)).toHaveLength(cut.ties)
          expect(Math.abs(cut.threshold - ratio(cut))).toBeLessThanOrEqual(1e-13 * ratio(cut))
        }
      },
    ),
    { numRuns: 3000 },
  )
})

test('a large array with more voxels between any two guesses than may be kept', () => {
  const random = generator(7)
  const m = Float32Array.from({ length: 100_000 }, () => random())
  const { cut } = optimalCut([m], 'soft-dice')
  for (const guess of [
    [1, 2],
    [1, ceilBits(1)],
    [ceilBits(0.38), ceilBits(0.39)],
    [ceilBits(0.9), ceilBits(0.95)],
  ]) {
    expect(optimalCut([m], 'soft-dice', guess as [number, number], 10).cut.count).toBe(cut.count)
  }
})
