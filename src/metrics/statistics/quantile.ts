/**
 * The quantile of ascending values, linear between order statistics: type 7 of Hyndman and Fan (Sample Quantiles in
 * Statistical Packages, 1996), the default of R and of NumPy. NaN where there are no values.
 *
 * @param sorted ascending
 * @param q from 0 to 1
 * @example
 * quantile([1, 2, 3, 4], 0.5) // 2.5
 */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN
  const rank = q * (sorted.length - 1)
  const below = Math.floor(rank)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (rank - below) * (sorted[above] - sorted[below])
}
