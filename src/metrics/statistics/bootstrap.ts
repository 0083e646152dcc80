import { randomStream } from '../../volume/random.ts'
import { quantile } from './quantile.ts'

/** An estimate with its confidence interval. */
export interface Interval {
  readonly value: number
  readonly low: number
  readonly high: number
}

export interface BootstrapOptions {
  /** How often clusters are drawn; default 1000. */
  readonly draws?: number
  /** Fixes the random numbers. */
  readonly key?: readonly (number | string)[]
}

/**
 * The 95 % percentile bootstrap interval (Efron, Bootstrap Methods, 1979) of a statistic of cases. Whole clusters are
 * drawn with replacement, since the cases of one patient are not independent. Clusters are drawn from their names in
 * order, so that the interval does not depend on the order of the cases.
 *
 * @param clusters of each case its patient; where cases are independent, its own name
 * @param statistic of the indices of the cases drawn
 * @example
 * const dice = [0.9, 0.8, 0.7]
 * bootstrap(['a', 'b', 'b'], (drawn) => drawn.reduce((sum, i) => sum + dice[i], 0) / drawn.length).value // 0.8
 */
export function bootstrap(
  clusters: readonly string[],
  statistic: (drawn: readonly number[]) => number,
  { draws = 1000, key = [] }: BootstrapOptions = {},
): Interval {
  const members = new Map<string, number[]>()
  for (const [i, name] of clusters.entries()) members.set(name, [...(members.get(name) ?? []), i])
  const sorted = [...members.keys()].sort().map((name) => members.get(name) ?? [])
  const random = randomStream('bootstrap', ...key)
  const values = Float64Array.from({ length: draws }, () => {
    const drawn: number[] = []
    for (let n = 0; n < sorted.length; n++) {
      for (const i of sorted[Math.floor(random.uniform() * sorted.length)]) drawn.push(i)
    }
    return statistic(drawn)
  }).sort()
  return { value: statistic(sorted.flat()), low: quantile(values, 0.025), high: quantile(values, 0.975) }
}
