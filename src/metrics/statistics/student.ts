import { normalQuantile } from '../../kernels/normal-quantile.ts'
import type { Interval } from './bootstrap.ts'

/** The 97.5 % quantile of Student's distribution, by Cornish and Fisher's expansion; exact for the smallest. */
export function studentQuantile(freedom: number): number {
  if (freedom <= 2) return freedom < 2 ? 12.706 : 4.303
  const z = normalQuantile(0.975)
  const [n, z3, z5, z7] = [freedom, z ** 3, z ** 5, z ** 7]
  return (
    z +
    (z3 + z) / (4 * n) +
    (5 * z5 + 16 * z3 + 3 * z) / (96 * n ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n ** 3)
  )
}

/**
 * Where the mean over as many new cases of as many new clusters will lie, with 95 %: Student's prediction interval. It
 * holds the chance of both means, where a confidence interval holds that of one.
 *
 * @param clusters of each case its patient, of whom there are at least two
 * @example
 * newMeanInterval(['a', 'b', 'c', 'd'], [1, 2, 3, 4]).high // 5.40: 2.5 + 3.18·√(2·1.67/4)
 */
export function newMeanInterval(clusters: readonly string[], values: readonly number[]): Interval {
  const value = values.reduce((a, b) => a + b, 0) / values.length
  const off = new Map<string, number>()
  for (const [i, cluster] of clusters.entries()) off.set(cluster, (off.get(cluster) ?? 0) + values[i] - value)
  const squares = [...off.values()].reduce((sum, each) => sum + each ** 2, 0)
  const variance = (squares * off.size) / (off.size - 1) / values.length ** 2
  const reach = studentQuantile(off.size - 1) * Math.sqrt(2 * variance)
  return { value, low: value - reach, high: value + reach }
}
