import fc from 'fast-check'
import { expect, test } from 'vitest'
import { softDiceOptimum } from '../decision/soft-dice.ts'
import { ThresholdScores } from './threshold-scores.ts'

const diceOf = (m: readonly number[], t: number, labels: readonly number[], label: number): number => {
  let both = 0
  let sum = 0
  m.forEach((p, at) => {
    const predicted = p >= t
    const actual = labels[at] === label
    if (predicted && actual) both++
    sum += Number(predicted) + Number(actual)
  })
  return sum === 0 ? 1 : (2 * both) / sum
}

test('scores every threshold as counting the masks does', () => {
  // Multiples of 1/50 and of 1/100, so that many marginals lie on a threshold or just beside one.
  const probability = fc.oneof(
    fc.integer({ min: 0, max: 100 }).map((i) => i / 100),
    fc.double({ min: 0, max: 1, noNaN: true }),
  )
  const cases = fc.integer({ min: 1, max: 30 }).chain((n) =>
    fc.tuple(
      fc.array(probability, { minLength: n, maxLength: n }),
      fc.array(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: n, maxLength: n }), {
        minLength: 1,
        maxLength: 5,
      }),
    ),
  )
  fc.assert(
    fc.property(cases, ([probabilities, samples]) => {
      const m = Float32Array.from(probabilities)
      const { threshold } = softDiceOptimum(m)
      const scores = new ThresholdScores(m, threshold)
      for (const sample of samples) scores.add(sample, 2)
      const { thresholds, dice, atHalf, atOptimum, best, gain, regret } = scores.result()
      const mean = (t: number): number => samples.reduce((sum, s) => sum + diceOf([...m], t, s, 2), 0) / samples.length
      thresholds.forEach((t, i) => {
        expect(dice[i].mean).toBeCloseTo(mean(t), 12)
      })
      expect(atHalf.mean).toBeCloseTo(mean(0.5), 12)
      expect(atOptimum.mean).toBeCloseTo(mean(threshold), 12)
      expect(best.mean).toBeCloseTo(Math.max(...thresholds.map(mean)), 12)
      expect(gain.mean).toBeCloseTo(mean(threshold) - mean(0.5), 12)
      expect(regret.mean).toBeGreaterThanOrEqual(-1e-12)
    }),
  )
})

test('intervals: mean ± 1.96 standard errors', () => {
  const m = Float32Array.of(1, 1)
  const scores = new ThresholdScores(m, 0.5)
  scores.add([1, 1], 1) // Dice 1
  scores.add([1, 0], 1) // Dice 2/3
  const { mean, low, high } = scores.result().atHalf
  expect(mean).toBeCloseTo(5 / 6, 12)
  // sd of {1, 2/3} is 1/(3√2); over √2 samples, 1/6.
  expect(high - mean).toBeCloseTo(1.96 / 6, 12)
  expect(mean - low).toBeCloseTo(1.96 / 6, 12)
})
