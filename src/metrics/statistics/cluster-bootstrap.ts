import { randomStream } from '../../volume/random.ts'

export interface Interval {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/**
 * The mean over cases with its 95 % percentile bootstrap interval (Efron, 1979), resampled by cluster: whole patients are
 * drawn with replacement, since a patient's cases are not independent.
 *
 * @param clusters the patient of each value
 * @param key fixes the random numbers
 */
export function clusteredBootstrap(
  values: readonly number[],
  clusters: readonly string[],
  resamples: number,
  ...key: readonly (number | string)[]
): Interval {
  const groups = new Map<string, { sum: number; count: number }>()
  for (const [i, value] of values.entries()) {
    const { sum, count } = groups.get(clusters[i]) ?? { sum: 0, count: 0 }
    groups.set(clusters[i], { sum: sum + value, count: count + 1 })
  }
  const list = [...groups.values()]
  const random = randomStream('bootstrap', ...key)
  const means = new Float64Array(resamples)
  for (let r = 0; r < resamples; r++) {
    let [sum, count] = [0, 0]
    for (let i = 0; i < list.length; i++) {
      const drawn = list[Math.floor(random.uniform() * list.length)]
      sum += drawn.sum
      count += drawn.count
    }
    means[r] = sum / count
  }
  means.sort()
  const total = list.reduce((sum, group) => sum + group.sum, 0)
  return { mean: total / values.length, low: quantile(means, 0.025), high: quantile(means, 0.975) }
}

/** Linear between order statistics: type 7 of R and numpy. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1)
  const low = Math.floor(at)
  const high = Math.min(sorted.length - 1, low + 1)
  return sorted[low] + (at - low) * (sorted[high] - sorted[low])
}
