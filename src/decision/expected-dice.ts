import { InputError } from '../volume/errors.ts'
import { BitHistogram } from './bit-histogram.ts'
import { float32Of, type ProbabilityArray } from './probabilities.ts'
import { softDiceOptimum } from './soft-dice.ts'
import { thresholdBins } from './threshold-bins.ts'

/** An estimate from samples, with its standard error. */
export interface MeanEstimate {
  readonly mean: number
  readonly standardError: number
}

/** The expected Dice of the cut at one threshold. */
export interface CutEstimate extends MeanEstimate {
  readonly threshold: number
}

/** Expected Dice of thresholded masks under sampled labels. */
export interface ExpectedDice {
  /** Number of labels drawn. */
  readonly samples: number
  /** Ascending; contains t* and ½. */
  readonly thresholds: Float64Array
  /** |{m ≥ t}| for each threshold, in voxels. */
  readonly volumes: Float64Array
  /** Mean of 2|S_t∩L|/(|S_t|+|L|) over the labels, for each threshold, and its standard error. */
  readonly means: Float64Array
  readonly standardErrors: Float64Array
  /** The threshold with the largest mean. */
  readonly best: CutEstimate
  /** Soft-Dice's mask, cut at t*. */
  readonly softDice: CutEstimate
  /** The Accuracy-optimal mask, cut at ½. */
  readonly half: CutEstimate
  /** Expected Dice that t* gains over ½: softDice − half, paired by label. */
  readonly gain: MeanEstimate
  /** Expected Dice that soft-Dice's mask gives away: best − softDice, paired by label. */
  readonly regret: MeanEstimate
  /** The same for the cut at ½. */
  readonly regretHalf: MeanEstimate
}

/** Options of `expectedDiceByThreshold`. */
export interface ExpectedDiceOptions {
  /** Thresholds to score, beside t* and ½: positive, at most 65533. By default chosen from m, see `gridSize`. */
  readonly thresholds?: ArrayLike<number>
  /**
   * About how many thresholds the default grid has; default 1024. Neighbours differ by about 1/gridSize of the voxels.
   */
  readonly gridSize?: number
}

/**
 * The Dice that a mask {m ≥ t} is expected to reach against a random label, E[2|S_t∩L|/(|S_t|+|L|)], estimated from
 * sampled labels for all thresholds at once: one histogram of m inside each label gives |S_t∩L| for every t
 * (docs/theory.md, "What soft-Dice is not"). It is not the soft Dice, a ratio of expectations; the *regret* says how
 * much that difference costs. |S| = |L| = 0 counts as 1.
 *
 * The best threshold is chosen on the same labels that score it, so `best.mean` and the regrets are biased upwards, by
 * less than a standard error or so; the standard errors of the regrets are those of paired differences.
 *
 * The default grid takes float32 numbers with 7 bits of fraction (0.8 % apart at most), thinned so that the volumes of
 * neighbouring masks differ by at least 1/gridSize of the number of positive probabilities, where there are so many.
 *
 * @param probabilities Marginal probabilities m of one case.
 * @param labels At least two labels, each with one element a voxel in the order of `m`; what is not 0 is inside. Each
 * is read before the next is asked for, so a generator may reuse one array.
 * @throws InputError where a value of `m` is not in [0, 1], a label has another length, or there are fewer than two.
 * @example
 * const m = new Float32Array([1, 0.5])
 * const labels = [new Uint8Array([1, 0]), new Uint8Array([1, 1])]
 * expectedDiceByThreshold(m, labels).half.mean // (2/3 + 1)/2: {m ≥ ½} holds both voxels
 */
export function expectedDiceByThreshold(
  probabilities: ProbabilityArray,
  labels: Iterable<Uint8Array>,
  options: ExpectedDiceOptions = {},
): ExpectedDice {
  const m = float32Of(probabilities)
  const { threshold } = softDiceOptimum(m)
  const chosen = options.thresholds ?? gridOf(m, options.gridSize ?? 1024)
  const thresholds = Float64Array.from(new Set([...Array.from(chosen), threshold, 0.5])).sort()
  const bins = thresholdBins(thresholds)
  const binOf = bins.assign(m)
  const volumes = suffixSums(histogram(binOf, undefined, bins.count))

  const at = { softDice: thresholds.indexOf(threshold), half: thresholds.indexOf(0.5) }
  const scores = new Moments(thresholds.length)
  const scoresBySoftDice = new Moments(thresholds.length)
  const scoresByHalf = new Moments(thresholds.length)
  const dice = new Float64Array(thresholds.length)
  for (const label of labels) {
    if (label.length !== m.length)
      throw new InputError('labels', `one has ${label.length} voxels, m has ${m.length}; give one element a voxel`)
    const inside = histogram(binOf, label, bins.count)
    const overlaps = suffixSums(inside)
    const size = overlaps[0] + inside[0]
    for (let i = 0; i < dice.length; i++) {
      const sizes = volumes[i] + size
      dice[i] = sizes === 0 ? 1 : (2 * overlaps[i]) / sizes
    }
    scores.add(dice, 0)
    scoresBySoftDice.add(dice, dice[at.softDice])
    scoresByHalf.add(dice, dice[at.half])
  }
  if (scores.samples < 2) throw new InputError('labels', 'are fewer than two, too few for a standard error; draw more')

  const means = Float64Array.from(thresholds, (_, i) => scores.estimate(i).mean)
  const best = means.indexOf(means.reduce((a, b) => Math.max(a, b)))
  const cut = (i: number): CutEstimate => ({ threshold: thresholds[i], ...scores.estimate(i) })
  return {
    samples: scores.samples,
    thresholds,
    volumes,
    means,
    standardErrors: Float64Array.from(thresholds, (_, i) => scores.estimate(i).standardError),
    best: cut(best),
    softDice: cut(at.softDice),
    half: cut(at.half),
    gain: scoresByHalf.estimate(at.softDice),
    regret: scoresBySoftDice.estimate(best),
    regretHalf: scoresByHalf.estimate(best),
  }
}

/** Running mean and variance (Welford's recurrence) of many series of values, each less a common reference. */
class Moments {
  readonly #means: Float64Array
  readonly #squares: Float64Array
  samples = 0

  constructor(length: number) {
    this.#means = new Float64Array(length)
    this.#squares = new Float64Array(length)
  }

  add(values: Float64Array, reference: number): void {
    this.samples++
    for (let i = 0; i < values.length; i++) {
      const delta = values[i] - reference - this.#means[i]
      this.#means[i] += delta / this.samples
      this.#squares[i] += delta * (values[i] - reference - this.#means[i])
    }
  }

  estimate(i: number): MeanEstimate {
    const variance = this.#squares[i] / (this.samples - 1)
    return { mean: this.#means[i], standardError: Math.sqrt(variance / this.samples) }
  }
}

/**
 * How many voxels inside the label (or at all) fall into each bin. Four voxels outside are skipped at once where
 * aligned.
 */
function histogram(binOf: Uint16Array, label: Uint8Array | undefined, count: number): Float64Array {
  const bins = new Float64Array(count)
  if (label === undefined) {
    for (let i = 0; i < binOf.length; i++) bins[binOf[i]]++
    return bins
  }
  const aligned = label.byteOffset % 4 === 0 ? label.length >> 2 : 0
  const words = new Uint32Array(label.buffer, aligned ? label.byteOffset : 0, aligned)
  for (let w = 0; w < words.length; w++) {
    if (words[w] === 0) continue
    for (let i = 4 * w; i < 4 * w + 4; i++) if (label[i] !== 0) bins[binOf[i]]++
  }
  for (let i = 4 * aligned; i < label.length; i++) if (label[i] !== 0) bins[binOf[i]]++
  return bins
}

/** Σ_{b > i} bins[b]: what reaches threshold i. */
function suffixSums(bins: Float64Array): Float64Array {
  const sums = new Float64Array(bins.length - 1)
  let sum = 0
  for (let i = sums.length - 1; i >= 0; i--) sums[i] = sum += bins[i + 1]
  return sums
}

/** Lower edges of a logarithmic histogram, thinned to about equal steps in volume. */
function gridOf(m: Float32Array, size: number): number[] {
  const fine = new BitHistogram(16)
  fine.add(m)
  const step = fine.counts.reduce((a, b) => a + b, 0) / size
  const grid: number[] = []
  let pending = 0
  for (let bin = fine.counts.length - 1; bin > 0; bin--) {
    pending += fine.counts[bin]
    if (pending === 0 || pending < step) continue
    grid.push(fine.lowerEdge(bin))
    pending = 0
  }
  return grid
}
