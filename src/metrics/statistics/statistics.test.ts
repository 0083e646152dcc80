import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clusteredBootstrap } from './cluster-bootstrap.ts'
import { WILCOXON_GOLDEN } from './testing/wilcoxon-golden.ts'
import { holm, wilcoxonSignedRank } from './wilcoxon.ts'

test("Wilcoxon's test agrees with scipy: exact, with ties, with zeros, with many", () => {
  for (const { differences, statistic, p } of WILCOXON_GOLDEN) {
    const result = wilcoxonSignedRank(differences)
    expect(result.statistic).toBe(statistic)
    expect(Math.abs(result.pValue - p)).toBeLessThan(1e-12)
  }
  expect(WILCOXON_GOLDEN.length).toBeGreaterThan(6)
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
    const { mean, low, high } = clusteredBootstrap(values, own, 400, 0, run)
    expect(mean).toBeCloseTo(values.reduce((a, b) => a + b) / 40, 12)
    if (low <= 3 && high >= 3) covered++
    // Every number four times over, as four frames of one patient: no more is known, the interval must not shrink.
    const repeated = values.flatMap((x) => [x, x, x, x])
    const patients = own.flatMap((x) => [x, x, x, x])
    const clustered = clusteredBootstrap(repeated, patients, 400, 0, run)
    if (clustered.high - clustered.low > 0.7 * (high - low)) widened++
  }
  expect(covered / 400).toBeGreaterThan(0.9)
  expect(covered / 400).toBeLessThan(0.98)
  expect(widened).toBe(400)
})
