/** How much of a surface lies at which distance from the other. */
export interface DistanceDistribution {
  /** Distinct, ascending, in mm. */
  readonly distances: Float64Array
  /** What the points at each distance count, and those up to it together. */
  readonly weights: Float64Array
  readonly cumulative: Float64Array
  readonly total: number
}

/** Of points with weights. */
export function distributionOf(distances: Float64Array, weights: Float64Array): DistanceDistribution {
  const sums = new Map<number, number>()
  for (let n = 0; n < distances.length; ) {
    // Neighbours often share their distance, 0 above all: each run of them is looked up once.
    const distance = distances[n]
    let weight = 0
    for (; n < distances.length && distances[n] === distance; n++) weight += weights[n]
    sums.set(distance, (sums.get(distance) ?? 0) + weight)
  }
  const distinct = Float64Array.from(sums.keys()).sort()
  const own = distinct.map((distance) => sums.get(distance) ?? 0)
  const cumulative = new Float64Array(own.length)
  let total = 0
  for (let n = 0; n < own.length; n++) {
    total += own[n]
    cumulative[n] = total
  }
  return { distances: distinct, weights: own, cumulative, total }
}

/** Σ weight·distance. */
export function weightedSum({ distances, weights }: DistanceDistribution): number {
  return distances.reduce((sum, distance, n) => sum + weights[n] * distance, 0)
}

/** What lies within a distance. */
export function weightWithin({ distances, cumulative }: DistanceDistribution, mm: number): number {
  const beyond = distances.findIndex((distance) => distance > mm)
  if (beyond < 0) return cumulative[cumulative.length - 1]
  return beyond === 0 ? 0 : cumulative[beyond - 1]
}

/** The q-quantile of points of weight 1, linear between ranks: see `quantile`. */
export function quantileByRank({ distances, cumulative, total }: DistanceDistribution, q: number): number {
  const rank = q * (total - 1)
  const whole = Math.floor(rank)
  const at = (n: number) => distances[cumulative.findIndex((count) => count > n)]
  return at(whole) + (rank - whole) * (at(Math.min(whole + 1, total - 1)) - at(whole))
}

/** The least distance within which at least the share q of the weight lies. */
export function quantileByWeight({ distances, cumulative, total }: DistanceDistribution, q: number): number {
  return distances[cumulative.findIndex((weight) => weight / total >= q)]
}
