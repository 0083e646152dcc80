import { BitHistogram } from './bit-histogram.ts'
import { ExactSum } from './exact-sum.ts'
import { chunksOf, type Probabilities } from './probabilities.ts'
import { softDiceOptimum } from './soft-dice.ts'
import { thresholdBins } from './threshold-bins.ts'

/** Soft Dice and volume as functions of the threshold. */
export interface DiceCurve {
  /** Ascending. */
  readonly thresholds: Float64Array
  /** Soft Dice 2Σ_{m≥t} m/(#{m≥t} + ‖m‖) at each threshold; all 1 where ‖m‖ = 0. */
  readonly dice: Float64Array
  /** #{m≥t}, in voxels. */
  readonly volumes: Float64Array
}

/**
 * The curve d(t) of soft Dice over thresholds, in one pass. It rises up to t*, where it is D*, and falls from there on.
 *
 * @param thresholds Ascending and positive; any number of them.
 * @throws InputError where a value is NaN or outside [0, 1.00001].
 * @example
 * softDiceCurve(new Float32Array([1, 0.25]), [0.2, 0.5]).dice // [2·1.25/(2 + 1.25), 2·1/(1 + 1.25)]
 */
export function softDiceCurve(m: Probabilities, thresholds: ArrayLike<number>): DiceCurve {
  const bins = thresholdBins(thresholds)
  const counts = new Float64Array(bins.count)
  const sums = new Float64Array(bins.count)
  for (const chunk of chunksOf(m)) {
    const binOf = bins.assign(chunk)
    for (let i = 0; i < chunk.length; i++) {
      counts[binOf[i]]++
      sums[binOf[i]] += chunk[i]
    }
  }
  const total = sums.reduce((a, b) => a + b, 0)
  const dice = new Float64Array(thresholds.length)
  const volumes = new Float64Array(thresholds.length)
  let [sum, count] = [0, 0]
  for (let i = thresholds.length - 1; i >= 0; i--) {
    sum += sums[i + 1]
    count += counts[i + 1]
    dice[i] = total === 0 ? 1 : (2 * sum) / (count + total)
    volumes[i] = count
  }
  return { thresholds: Float64Array.from(thresholds), dice, volumes }
}

/** Thresholds that cost little. */
export interface NearOptimalThresholds {
  readonly low: number
  readonly high: number
}

/**
 * How flat the optimum is: the interval of thresholds around t* whose soft Dice is at least D* − loss. A wide one says
 * that the exact threshold hardly matters; one that contains ½ says that cutting at ½ costs at most `loss`.
 *
 * Ends are found on a grid of float32 numbers with 2048 steps an octave and lie inside the true interval, by less than
 * 0.05 % of themselves. Where ‖m‖ = 0 every threshold gives the empty mask: [0, 1].
 *
 * @param loss How much soft Dice may be given up; default 0.01.
 * @throws InputError where a value is NaN or outside [0, 1.00001].
 * @example
 * nearOptimalThresholds(new Float32Array([1, 1, 0])).high // 1: any cut above 0 is optimal
 */
export function nearOptimalThresholds(m: Probabilities, loss = 0.01): NearOptimalThresholds {
  const { supDice, threshold, probabilityVolume } = softDiceOptimum(m)
  if (probabilityVolume === 0) return { low: 0, high: 1 }
  const histogram = new BitHistogram(12)
  for (const chunk of chunksOf(m)) histogram.add(chunk)
  let [low, high] = [threshold, threshold]
  const sum = new ExactSum()
  let count = 0
  for (let bin = histogram.counts.length - 1; bin >= 0; bin--) {
    sum.add(histogram.sums[bin])
    count += histogram.counts[bin]
    // At t = 0 the mask would take in the zeros, which the bins leave out.
    const edge = Math.max(histogram.lowerEdge(bin), 2 ** -149)
    if ((2 * sum.value) / (count + probabilityVolume) >= supDice - loss) {
      low = Math.min(low, edge)
      high = Math.max(high, edge)
    }
  }
  return { low, high }
}
