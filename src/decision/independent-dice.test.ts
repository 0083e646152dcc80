import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gaussLegendre } from './gauss-legendre.ts'
import { independentDiceOptimum, independentExpectedDice } from './independent-dice.ts'
import { rmaOptimum } from './rma.ts'
import { softDiceOptimum } from './soft-dice.ts'
import { generator } from './testing/random.ts'

/** All labels: E[Dice] of a mask, from the definition. */
function enumerated(p: readonly number[], mask: readonly number[]): number {
  let expected = 0
  for (let label = 0; label < 1 << p.length; label++) {
    let [probability, overlap, size] = [1, 0, 0]
    for (let i = 0; i < p.length; i++) {
      const bit = (label >> i) & 1
      probability *= bit ? p[i] : 1 - p[i]
      overlap += bit * mask[i]
      size += bit + mask[i]
    }
    expected += probability * (size === 0 ? 1 : (2 * overlap) / size)
  }
  return expected
}

/** The law of a sum of independent Bernoulli variables, by convolution. */
function poissonBinomial(p: readonly number[]): number[] {
  let law = [1]
  for (const x of p) {
    const next = Array(law.length + 1).fill(0)
    for (let k = 0; k < law.length; k++) {
      next[k] += law[k] * (1 - x)
      next[k + 1] += law[k] * x
    }
    law = next
  }
  return law
}

/** E[Dice] of the first `volume` voxels: |S∩L| and |L∖S| are independent, and their laws are exact. */
function convolved(p: readonly number[], volume: number): number {
  const inside = poissonBinomial(p.slice(0, volume))
  const outside = poissonBinomial(p.slice(volume))
  let expected = 0
  for (let k = 0; k < inside.length; k++) {
    for (let l = 0; l < outside.length; l++) {
      const dice = volume + k + l === 0 ? 1 : (2 * k) / (volume + k + l)
      expected += inside[k] * outside[l] * dice
    }
  }
  return expected
}

const probability = fc.oneof(
  fc.integer({ min: 0, max: 8 }).map((k) => k / 8),
  fc.float({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom(0, 1, 1e-20, 2 ** -149, Math.fround(0.999999)),
)

test('independentDiceOptimum against all labels and all masks', () => {
  fc.assert(
    fc.property(fc.array(probability, { maxLength: 7 }), (values) => {
      const m = new Float32Array(values)
      let best = 0
      for (let subset = 0; subset < 1 << m.length; subset++) {
        const mask = values.map((_, i) => (subset >> i) & 1)
        best = Math.max(best, enumerated([...m], mask))
      }
      const { expectedDice, volume, threshold, ties } = independentDiceOptimum(m)
      expect(expectedDice).toBeCloseTo(best, 11)
      // And the mask described reaches it.
      const order = [...m].map((_, i) => i).sort((a, b) => m[b] - m[a])
      const mask = [...m].map((_, i) => (order.indexOf(i) < volume ? 1 : 0))
      expect(enumerated([...m], mask)).toBeCloseTo(best, 11)
      if (volume > 0) {
        expect(threshold).toBe(m[order[volume - 1]])
        expect(ties.all).toBe(m.filter((x) => x === threshold).length)
        expect(ties.inside).toBe(volume - m.filter((x) => x > threshold).length)
      }
    }),
    { numRuns: 150 },
  )
})

describe('expected Dice of every cut against the exact distribution', () => {
  const random = generator(3)
  const shapes: [string, number[]][] = [
    ['uniform', Array.from({ length: 150 }, () => random())],
    ['mostly tiny', Array.from({ length: 300 }, (_, i) => (i < 20 ? random() : 1e-3 * random()))],
    ['nearly empty', Array.from({ length: 200 }, () => 1e-3 * random())],
    ['nearly certain', Array.from({ length: 120 }, () => 1 - 1e-4 * random())],
    ['certain and impossible', Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? 1 : 0))],
    ['all equal', Array(100).fill(0.3)],
  ]
  test.each(shapes)('%s', (_, values) => {
    const m = new Float32Array(values)
    const p = [...m].sort((a, b) => b - a)
    let best = 0
    for (let volume = 0; volume <= p.length; volume++) {
      const exact = convolved(p, volume)
      best = Math.max(best, exact)
      // A cut between equal probabilities cannot be named by a threshold.
      if (volume === 0 || p[volume - 1] === 0 || p[volume - 1] === p[volume]) continue
      expect(Math.abs(independentExpectedDice(m, p[volume - 1]) - exact)).toBeLessThan(1e-11)
    }
    expect(Math.abs(independentDiceOptimum(m).expectedDice - best)).toBeLessThan(1e-11)
    expect(independentExpectedDice(m, 2)).toBeCloseTo(convolved(p, 0), 13)
  })
})

test('RMA is a lower bound of its mask’s expected Dice, and close to the optimum', () => {
  fc.assert(
    fc.property(fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 100 }), (values) => {
      const m = new Float32Array(values)
      fc.pre(m.some((x) => x > 0))
      const rma = rmaOptimum(m)
      const expected = independentExpectedDice(m, rma.threshold)
      expect(rma.approximateDice).toBeLessThanOrEqual(expected + 1e-11)
      expect(independentDiceOptimum(m).expectedDice).toBeGreaterThanOrEqual(expected - 1e-11)
      expect(m.filter((x) => x >= rma.threshold)).toHaveLength(rma.volume)
    }),
  )
})

test('rmaOptimum is the best of 2S_k/(‖m‖ + k + 1) over all k', () => {
  fc.assert(
    fc.property(fc.array(probability, { minLength: 1, maxLength: 50 }), (values) => {
      const p = [...new Float32Array(values)].sort((a, b) => b - a)
      fc.pre(p[0] > 0)
      const total = p.reduce((a, b) => a + b, 0)
      let [sum, best] = [0, 0]
      for (let k = 1; k <= p.length; k++) {
        sum += p[k - 1]
        best = Math.max(best, (2 * sum) / (total + k + 1))
      }
      expect(rmaOptimum(new Float32Array(values)).approximateDice).toBeCloseTo(best, 13)
    }),
  )
  // Above the size where bounds are sampled.
  const random = generator(5)
  const large = Float32Array.from({ length: 100_000 }, (_, i) => (i < 300 ? random() : 0))
  expect(rmaOptimum(large).approximateDice).toBeCloseTo(rmaOptimum(large.subarray(0, 300)).approximateDice, 13)
  expect(rmaOptimum(new Float32Array(3))).toMatchObject({ approximateDice: 1, threshold: 0.5, volume: 0 })
})

test('in a large volume soft-Dice, RMA and the independent optimum differ by a few voxels at most', () => {
  const m = Float32Array.from({ length: 200_000 }, (_, i) => 1 / (1 + Math.exp((i - 30_000) / 4000)))
  const soft = softDiceOptimum(m)
  const independent = independentDiceOptimum(m)
  expect(Math.abs(independent.volume - soft.volume)).toBeLessThan(10)
  expect(Math.abs(independent.volume - rmaOptimum(m).volume)).toBeLessThan(10)
  expect(independent.expectedDice).toBeCloseTo(soft.supDice, 5)
})

test('the empty mask is best where a label is mostly empty', () => {
  expect(independentDiceOptimum(new Float32Array([0.1, 0.1]))).toMatchObject({ volume: 0, threshold: 1 })
  expect(independentDiceOptimum(new Float32Array([0.1, 0.1])).expectedDice).toBeCloseTo(0.81, 6)
  expect(independentDiceOptimum(new Float32Array(4))).toMatchObject({ volume: 0, expectedDice: 1 })
  expect(independentDiceOptimum([])).toMatchObject({ volume: 0, expectedDice: 1 })
})

test('gaussLegendre integrates polynomials up to degree 2n − 1', () => {
  for (const n of [1, 2, 5, 32]) {
    const { nodes, weights } = gaussLegendre(n)
    for (let degree = 0; degree < 2 * n; degree++) {
      const integral = nodes.reduce((sum, x, i) => sum + weights[i] * x ** degree, 0)
      expect(integral).toBeCloseTo(degree % 2 ? 0 : 2 / (degree + 1), 13)
    }
  }
})
