import { normalCdf } from '../../kernels/normal-cdf.ts'

export interface WilcoxonTest {
  /** Sum of the ranks of positive differences. */
  readonly statistic: number
  /** Two-sided; 1 where every difference is zero. */
  readonly pValue: number
  /** Differences that are not zero. */
  readonly n: number
}

/** Up to so many differences without ties the exact distribution is used, as in scipy. */
const exactLimit = 50

/**
 * Wilcoxon's signed-rank test of paired differences, two-sided. Zeros are left out (Wilcoxon's own rule), ties take
 * their mean rank. Exact where there are no ties and no zeros among at most 50 differences; else the normal
 * approximation with its variance corrected for ties, without continuity correction: the rules of
 * scipy.stats.wilcoxon.
 *
 * @example
 * wilcoxonSignedRank([1, 2, 3, -4]).pValue // 0.875
 */
export function wilcoxonSignedRank(differences: readonly number[]): WilcoxonTest {
  const kept = differences.filter((d) => d !== 0).sort((a, b) => Math.abs(a) - Math.abs(b))
  const n = kept.length
  if (n === 0) return { statistic: 0, pValue: 1, n }
  let statistic = 0
  let ties = 0
  for (let start = 0; start < n; ) {
    let end = start
    while (end < n && Math.abs(kept[end]) === Math.abs(kept[start])) end++
    const rank = (start + 1 + end) / 2
    for (let i = start; i < end; i++) if (kept[i] > 0) statistic += rank
    const count = end - start
    ties += count ** 3 - count
    start = end
  }
  if (ties === 0 && n === differences.length && n <= exactLimit) return { statistic, pValue: exact(statistic, n), n }
  const mean = (n * (n + 1)) / 4
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - ties / 48
  const z = (statistic - mean) / Math.sqrt(variance)
  return { statistic, pValue: Math.min(1, 2 * normalCdf(-Math.abs(z))), n }
}

/** Twice the smaller tail of the number of sign patterns with a given rank sum, over 2ⁿ. */
function exact(statistic: number, n: number): number {
  const largest = (n * (n + 1)) / 2
  let counts = new Float64Array(largest + 1)
  counts[0] = 1
  for (let rank = 1; rank <= n; rank++) {
    const next = counts.slice()
    for (let sum = 0; sum + rank <= largest; sum++) next[sum + rank] += counts[sum]
    counts = next
  }
  const smaller = Math.min(statistic, largest - statistic)
  let tail = 0
  for (let sum = 0; sum <= smaller; sum++) tail += counts[sum]
  return Math.min(1, (2 * tail) / 2 ** n)
}

/**
 * Holm's step-down correction of several p-values (Scandinavian Journal of Statistics, 1979), in their order.
 *
 * @example
 * holm([0.01, 0.04, 0.03]) // [0.03, 0.06, 0.06]
 */
export function holm(pValues: readonly number[]): number[] {
  const order = [...pValues.keys()].sort((a, b) => pValues[a] - pValues[b])
  const corrected = new Array<number>(pValues.length)
  let largest = 0
  for (const [rank, at] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (pValues.length - rank) * pValues[at]))
    corrected[at] = largest
  }
  return corrected
}
