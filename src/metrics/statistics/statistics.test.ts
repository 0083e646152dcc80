import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomStream } from '../../volume/random.ts'
import { bootstrap } from './bootstrap.ts'
import { quantile } from './quantile.ts'
import { newMeanInterval } from './student.ts'
import { wilcoxonGolden } from './testing/wilcoxon-golden.ts'
import { holm, wilcoxonSignedRank } from './wilcoxon.ts'

test("Wilcoxon's test agrees with scipy: exact, with ties, with zeros, with many", () => {
  for (const { differences, statistic, p } of wilcoxonGolden) {
    const result = wilcoxonSignedRank(differences)
    expect(result.statistic).toBe(statistic)
    expect(Math.abs(result.pValue - p)).toBeLessThan(1e-12)
  }
  expect(wilcoxonGolden.length).toBeGreaterThan(6)
})

test('the exact p-value is that of all sign patterns', () => {
  const magnitudes = fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 9 })
  fc.assert(
    fc.property(magnitudes, fc.nat(511), (sizes, signs) => {
      const signed = (pattern: number) => sizes.map((x, i) => ((pattern >> i) & 1 ? x : -x))
      const centre = (sizes.length * (sizes.length + 1)) / 4
      const far = (pattern: number) => Math.abs(wilcoxonSignedRank(signed(pattern)).statistic - centre)
      const all = Array.from({ length: 2 ** sizes.length }, (_, pattern) => far(pattern))
      const own = signs % 2 ** sizes.length
      const share = all.filter((x) => x >= all[own]).length / all.length
      expect(wilcoxonSignedRank(signed(own)).pValue).toBeCloseTo(share, 12)
    }),
    { numRuns: 30 },
  )
  expect(wilcoxonSignedRank([0, 0]).pValue).toBe(1)
})

test('Holm keeps the order and never falls below Bonferroni of the smallest', () => {
  const corrected = holm([0.01, 0.04, 0.03])
  for (const [i, p] of [0.03, 0.06, 0.06].entries()) expect(corrected[i]).toBeCloseTo(p, 12)
  expect(holm([0.9, 0.8])).toEqual([1, 1])
})

test('quantiles are those of numpy.quantile', () => {
  const values = [-3.5, -1, 0.25, 0.25, 2, 7.75, 11, 40]
  // numpy.quantile(values, q), NumPy 1.24.
  const golden = [
    [0, -3.5],
    [0.025, -3.0625],
    [0.1, -1.75],
    [0.33, 0.25],
    [0.5, 1.125],
    [0.95, 29.85],
    [0.975, 34.925],
    [1, 40.0],
  ] as const
  for (const [q, expected] of golden) expect(quantile(values, q)).toBeCloseTo(expected, 12)
  expect(quantile([3], 0.975)).toBe(3)
  expect(quantile([], 0.5)).toBeNaN()
})

test('a bootstrap interval depends on names, not on the order of cases', () => {
  const values = [0.9, 0.1, 0.5, 0.7, 0.2, 0.35, 0.8]
  const patients = ['b', 'a', 'c', 'b', 'd', 'a', 'e']
  const interval = (order: readonly number[]) =>
    bootstrap(
      order.map((i) => patients[i]),
      mean(order.map((i) => values[i])),
      { draws: 300, key: ['x', 2] },
    )
  const given = interval([0, 1, 2, 3, 4, 5, 6])
  for (const order of [
    [6, 5, 4, 3, 2, 1, 0],
    [3, 0, 6, 2, 5, 1, 4],
  ]) {
    const other = interval(order)
    for (const key of ['value', 'low', 'high'] as const) expect(other[key]).toBeCloseTo(given[key], 12)
  }
  expect(given.value).toBeCloseTo(3.55 / 7, 12)
  // Draws of two clusters of sizes 1 and 2 can only give these three means.
  const seen = new Set<number>()
  bootstrap(['p', 'q', 'q'], (drawn) => Number(seen.add(drawn.length).size), { draws: 200 })
  expect([...seen].sort()).toEqual([2, 3, 4])
})

test('bootstrap intervals cover the mean as often as they say, and clusters widen them', () => {
  // 400 samples of 40 normal numbers: coverage of a nominal 95 % interval is 92.5 % ± 2.6 % (percentile, n = 40).
  let covered = 0
  let widened = 0
  let seed = 12345
  const uniform = () => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) / 0x7fffffff
  const normal = () => Math.sqrt(-2 * Math.log(uniform() + 1e-12)) * Math.cos(2 * Math.PI * uniform())
  for (let run = 0; run < 400; run++) {
    const values = Array.from({ length: 40 }, () => 3 + normal())
    const own = values.map((_, i) => String(i))
    const { value, low, high } = bootstrap(own, mean(values), { draws: 400, key: [0, run] })
    expect(value).toBeCloseTo(values.reduce((a, b) => a + b) / 40, 12)
    if (low <= 3 && high >= 3) covered++
    // Every number four times over, as four frames of one patient: no more is known, the interval must not shrink.
    const repeated = values.flatMap((x) => [x, x, x, x])
    const patients = own.flatMap((x) => [x, x, x, x])
    const clustered = bootstrap(patients, mean(repeated), { draws: 400, key: [0, run] })
    if (clustered.high - clustered.low > 0.7 * (high - low)) widened++
  }
  expect(covered / 400).toBeGreaterThan(0.9)
  expect(covered / 400).toBeLessThan(0.98)
  expect(widened).toBe(400)
})

function mean(values: readonly number[]) {
  return (drawn: readonly number[]) => drawn.reduce((sum, i) => sum + values[i], 0) / drawn.length
}

test('where the mean of as many new patients lies: in 95 of 100 cohorts, also with several cases each', () => {
  const random = randomStream('new patients')
  // Two cases share most of what their patient is.
  const cohort = (patients: number) =>
    Array.from({ length: patients }, () => random.normal()).flatMap((own) => [own, own + 0.3 * random.normal()])
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
  for (const patients of [4, 7, 25]) {
    const names = Array.from({ length: 2 * patients }, (_, i) => String(i >> 1))
    const within = Array.from({ length: 2000 }, () => {
      const { low, high } = newMeanInterval(names, cohort(patients))
      const come = mean(cohort(patients))
      return low < come && come < high
    })
    expect(mean(within.map(Number))).toBeGreaterThan(0.935)
    expect(mean(within.map(Number))).toBeLessThan(0.965)
  }
  expect(newMeanInterval(['a', 'b'], [0.5, 0.5])).toEqual({ value: 0.5, low: 0.5, high: 0.5 })
})
