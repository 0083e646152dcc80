import { type RandomStream, randomStream } from '../../volume/random.ts'
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
  /**
   * A second grouping of the cases that crosses the first, such as repetitions with other seeds: both are drawn, and a
   * case counts as often as its cluster and its group were (the pigeonhole bootstrap; Owen, Ann. Appl. Stat. 1, 2007).
   */
  readonly crossed?: readonly string[]
  /** The share of draws that the interval leaves out at either end; default 0.025. */
  readonly tail?: number
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
  { draws = 1000, crossed = [], tail = 0.025, key = [] }: BootstrapOptions = {},
): Interval {
  const sorted = membersOf(clusters)
  const groups = membersOf(crossed)
  const random = randomStream('bootstrap', ...key)
  const values = Float64Array.from({ length: draws }, () => {
    const drawn = draw(sorted, random)
    if (groups.length < 2) return statistic(drawn)
    const times = new Uint32Array(clusters.length)
    for (const i of draw(groups, random)) times[i]++
    const repeated: number[] = []
    for (const i of drawn) for (let n = 0; n < times[i]; n++) repeated.push(i)
    return statistic(repeated)
  }).sort()
  return { value: statistic(sorted.flat()), low: quantile(values, tail), high: quantile(values, 1 - tail) }
}

/** The cases of each cluster, clusters in the order of their names. */
function membersOf(clusters: readonly string[]): number[][] {
  const members = new Map<string, number[]>()
  for (const [i, name] of clusters.entries()) members.set(name, [...(members.get(name) ?? []), i])
  return [...members.keys()].sort().map((name) => members.get(name) ?? [])
}

function draw(clusters: readonly (readonly number[])[], random: RandomStream): number[] {
  const drawn: number[] = []
  for (let n = 0; n < clusters.length; n++) {
    for (const i of clusters[Math.floor(random.uniform() * clusters.length)]) drawn.push(i)
  }
  return drawn
}
