import { describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { expectedDiceByThreshold } from './expected-dice.ts'
import { independentExpectedDice } from './independent-dice.ts'
import { softDiceOptimum } from './soft-dice.ts'
import { generator } from './testing/random.ts'

function* independentLabels(m: Float32Array, count: number, seed: number): Generator<Uint8Array> {
  const random = generator(seed)
  const label = new Uint8Array(m.length)
  for (let i = 0; i < count; i++) {
    for (let v = 0; v < m.length; v++) label[v] = random() < m[v] ? 3 : 0
    yield label
  }
}

test('equals the definition, threshold by threshold and label by label', () => {
  const random = generator(11)
  const m = Float32Array.from({ length: 101 }, (_, i) => (i % 4 === 0 ? 0 : random()))
  const labels = [...independentLabels(m, 20, 1)].map((label) => label.map((x) => x)).concat(new Uint8Array(101))
  // Views at odd offsets, as channels of a larger array are.
  const views = labels.map((label) => {
    const shifted = new Uint8Array(105)
    shifted.set(label, 3)
    return shifted.subarray(3, 104)
  })
  const result = expectedDiceByThreshold(m, views)
  expect(result.samples).toBe(21)
  const scores = [...result.thresholds].map((t) =>
    labels.map((label) => {
      const mask = m.map((x) => (x >= t ? 1 : 0))
      const overlap = mask.reduce((a, s, i) => a + (s && label[i] ? 1 : 0), 0)
      const sizes = mask.reduce((a, b) => a + b, 0) + label.filter((x) => x > 0).length
      return sizes === 0 ? 1 : (2 * overlap) / sizes
    }),
  )
  const estimate = (values: readonly number[]) => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    const variance = values.reduce((a, x) => a + (x - mean) ** 2, 0) / (values.length - 1)
    return { mean, standardError: Math.sqrt(variance / values.length) }
  }
  let best = 0
  for (const [i, values] of scores.entries()) {
    expect(result.means[i]).toBeCloseTo(estimate(values).mean, 13)
    expect(result.standardErrors[i]).toBeCloseTo(estimate(values).standardError, 13)
    if (estimate(values).mean > estimate(scores[best]).mean) best = i
  }
  expect(result.best.threshold).toBe(result.thresholds[best])
  const soft = result.thresholds.indexOf(softDiceOptimum(m).threshold)
  const half = result.thresholds.indexOf(0.5)
  const paired = (other: number) => estimate(scores[best].map((d, s) => d - scores[other][s]))
  for (const [actual, other] of [
    [result.regret, soft],
    [result.regretHalf, half],
  ] as const) {
    expect(actual.mean).toBeCloseTo(paired(other).mean, 13)
    expect(actual.standardError).toBeCloseTo(paired(other).standardError, 13)
  }
})

test('independent labels: within four standard errors of the exact expectation', () => {
  const random = generator(12)
  const m = Float32Array.from({ length: 60 }, () => random() ** 2)
  const thresholds = [0.05, 0.2, 0.35, 0.6, 0.9]
  const result = expectedDiceByThreshold(m, independentLabels(m, 20_000, 2), { thresholds })
  for (const t of thresholds) {
    const i = result.thresholds.indexOf(t)
    const z = (result.means[i] - independentExpectedDice(m, t)) / result.standardErrors[i]
    expect(Math.abs(z)).toBeLessThan(4)
  }
})

test('where labels are all in or all out, the best threshold is not soft-Dice’s', () => {
  // Voxel 0 is always in; the other 19 are in together, with probability 0.3. Soft Dice: {0} has 2/(1 + 6.7) = 0.26,
  // all have 2·6.7/26.7 = 0.50. Expected Dice: {0} has 0.7·1 + 0.3·2/21 = 0.73, all have 0.3·1 + 0.7·2/21 = 0.37.
  const m = new Float32Array(20).fill(0.3).fill(1, 0, 1)
  const small = new Uint8Array(20).fill(1, 0, 1)
  const all = new Uint8Array(20).fill(1)
  const labels = Array.from({ length: 100 }, (_, i) => (i < 30 ? all : small))
  const { softDice, best, half, regret, regretHalf } = expectedDiceByThreshold(m, labels)
  expect(softDice.mean).toBeCloseTo(0.3 + (0.7 * 2) / 21, 12)
  expect(best.mean).toBeCloseTo(0.7 + (0.3 * 2) / 21, 12)
  expect(half.mean).toBeCloseTo(best.mean, 12)
  expect(regret.mean).toBeCloseTo(best.mean - softDice.mean, 12)
  expect(regretHalf).toEqual({ mean: 0, standardError: 0 })
})

describe('the default grid', () => {
  test('has about the size asked for, and always t* and ½', () => {
    const random = generator(13)
    const m = Float32Array.from({ length: 50_000 }, () => random())
    const { thresholds, volumes } = expectedDiceByThreshold(m, independentLabels(m, 2, 3), { gridSize: 100 })
    expect(thresholds.length).toBeGreaterThan(60)
    expect(thresholds.length).toBeLessThanOrEqual(102)
    expect(thresholds).toContain(softDiceOptimum(m).threshold)
    expect(thresholds).toContain(0.5)
    for (let i = 0; i < thresholds.length; i += 10) {
      expect(volumes[i]).toBe(m.filter((x) => x >= thresholds[i]).length)
    }
  })
  test('copes with empty maps and labels', () => {
    const empty = new Uint8Array(5)
    const result = expectedDiceByThreshold(new Float32Array(5), [empty, empty])
    expect(result.softDice).toEqual({ threshold: 0.5, mean: 1, standardError: 0 })
  })
})

test('labels of another length, and fewer than two, are refused', () => {
  const m = new Float32Array([0.5, 1])
  expect(() => expectedDiceByThreshold(m, [new Uint8Array(3), new Uint8Array(3)])).toThrow(InputError)
  expect(() => expectedDiceByThreshold(m, [new Uint8Array(2)])).toThrow(InputError)
})
