import { bitsOf, ceilBits, checkProbabilities, largestProbability } from './probabilities.ts'

/** Voxels sorted into the gaps between thresholds. */
export interface ThresholdBins {
  /** Number of thresholds plus one. */
  readonly count: number
  /** For each probability, how many thresholds it reaches: b means thresholds[b − 1] ≤ m < thresholds[b]. */
  readonly assign: (m: Float32Array) => Uint16Array
}

const largestBits = ceilBits(largestProbability)

/**
 * Prepares the assignment of probabilities to at most 65535 ascending, positive thresholds. A table over the upper 16
 * bits of a float32 gives the bin, but for the few probabilities that share them with a threshold; those are compared.
 */
export function thresholdBins(thresholds: ArrayLike<number>): ThresholdBins {
  const edges = Int32Array.from(thresholds, ceilBits)
  // Number of thresholds that the smallest number with these upper bits reaches.
  const first = new Uint16Array((largestBits >>> 16) + 2)
  for (let upper = 0, reached = 0; upper < first.length; upper++) {
    while (reached < edges.length && edges[reached] <= upper << 16) reached++
    first[upper] = reached
  }
  return {
    count: edges.length + 1,
    assign(m) {
      const bits = bitsOf(m)
      const bins = new Uint16Array(m.length)
      for (let i = 0; i < bits.length; i++) {
        const b = bits[i]
        if (b === 0) continue
        if (b >>> 0 > largestBits) {
          if (m[i] === 0) continue
          checkProbabilities([m])
        }
        let bin = first[b >>> 16]
        while (bin < edges.length && edges[bin] <= b) bin++
        bins[i] = bin
      }
      return bins
    },
  }
}
