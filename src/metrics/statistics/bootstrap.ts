/** A value with an interval. */
export interface Interval {
  readonly value: number
  readonly low: number
  readonly high: number
}

/**
 * The 95 % percentile bootstrap interval of a statistic of cases: cases are drawn with replacement and the statistic is taken of
 * each draw. The same seed gives the same interval.
 *
 * @param statistic of the indices drawn
 * @example
 * bootstrap(differences.length, (drawn) => mean(drawn.map((i) => differences[i])))
 */
export function bootstrap(
  cases: number,
  statistic: (drawn: Uint32Array) => number,
  { draws = 1000, seed = 1 }: { readonly draws?: number; readonly seed?: number } = {},
): Interval {
  const drawn = Uint32Array.from({ length: cases }, (_, i) => i)
  const value = statistic(drawn)
  let state = seed >>> 0
  const values = Float64Array.from({ length: draws }, () => {
    for (let i = 0; i < cases; i++) {
      // splitmix32
      state = (state + 0x9e3779b9) >>> 0
      let z = state
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
      drawn[i] = Math.floor((((z ^ (z >>> 16)) >>> 0) / 2 ** 32) * cases)
    }
    return statistic(drawn)
  }).sort()
  return { value, low: quantile(values, 0.025), high: quantile(values, 0.975) }
}

/** The quantile of ascending values, linear between them (type 7 of R and NumPy). */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * q
  const low = Math.floor(at)
  const high = Math.min(low + 1, sorted.length - 1)
  return sorted[low] + (at - low) * (sorted[high] - sorted[low])
}
