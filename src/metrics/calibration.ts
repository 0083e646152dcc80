import { checkVoxels } from '../volume/checks.ts'
import { InputError } from '../volume/errors.ts'
import type { VoxelArray } from '../volume/volume.ts'

/** The voxels whose predicted probability lies in one interval. */
export interface CalibrationBin {
  /** The interval [low, high); the last one includes 1. */
  readonly low: number
  readonly high: number
  readonly voxels: number
  /** Mean predicted probability and the share of voxels that are in the label; null where the bin is empty. */
  readonly meanProbability: number | null
  readonly frequency: number | null
}

/** How predicted probabilities compare with labels. */
export interface Calibration {
  /** Expected calibration error: Σ_b (n_b/n)·|frequency_b − meanProbability_b|. */
  readonly ece: number
  /** Mean of (m − y)². */
  readonly brier: number
  /** Negative log-likelihood: the mean of −ln of the probability given to what is there, at least 10⁻⁷. */
  readonly nll: number
  /** The reliability curve. */
  readonly bins: readonly CalibrationBin[]
}

/** Networks saturate: one voxel that was held impossible must not outweigh all others. */
const leastLikely = 1e-7

/**
 * Reliability curve, expected calibration error (Naeini, Cooper, Hauskrecht, AAAI 2015), Brier score (Brier, 1950) and
 * negative log-likelihood of the predicted probability of one class, in one pass. Binary in the sense that bins divide
 * this probability, from 0 to 1 in equal widths, not the confidence of the likelier class. Without voxels all scores
 * are 0.
 *
 * Most voxels of an image are background at m ≈ 0, which predict well and dilute both scores: compare them between maps
 * of the same image, or pass the voxels of a region only.
 *
 * @param m Predicted probabilities in [0, 1].
 * @param label What is not 0 is in the class.
 * @param binCount Number of bins; default 15.
 * @throws InputError where the arrays differ in length or a probability lies outside [0, 1].
 * @example
 * calibration(new Float32Array([0.2, 0.8]), new Uint8Array([0, 1]), 2).ece // 0.2 = (|0 − 0.2| + |1 − 0.8|)/2
 */
export function calibration(m: Float32Array, label: VoxelArray, binCount = 15): Calibration {
  checkVoxels(m, 'probabilities')
  checkVoxels(label, 'labels', m.length)
  if (!(Number.isInteger(binCount) && binCount >= 1)) {
    throw new InputError('bins', `are ${binCount}; give a whole number from 1`)
  }
  const counts = new Float64Array(binCount)
  const sums = new Float64Array(binCount)
  const hits = new Float64Array(binCount)
  let [squares, logs] = [0, 0]
  for (let i = 0; i < m.length; i++) {
    const x = m[i]
    if (!(x >= 0 && x <= 1)) throw new InputError('probabilities', `hold ${x}; give numbers from 0 to 1`)
    const bin = Math.min(binCount - 1, Math.floor(x * binCount))
    const y = label[i] !== 0 ? 1 : 0
    counts[bin]++
    sums[bin] += x
    hits[bin] += y
    squares += (x - y) * (x - y)
    logs -= Math.log(Math.max(leastLikely, y === 1 ? x : 1 - x))
  }
  let gap = 0
  for (let bin = 0; bin < binCount; bin++) gap += Math.abs(hits[bin] - sums[bin])
  const share = m.length === 0 ? 0 : 1 / m.length
  return {
    ece: gap * share,
    brier: squares * share,
    nll: logs * share,
    bins: Array.from(counts, (voxels, bin) => ({
      low: bin / binCount,
      high: (bin + 1) / binCount,
      voxels,
      meanProbability: voxels === 0 ? null : sums[bin] / voxels,
      frequency: voxels === 0 ? null : hits[bin] / voxels,
    })),
  }
}

/**
 * The expected calibration error alone; see `calibration`.
 *
 * @throws InputError where the arrays differ in length or a probability lies outside [0, 1].
 * @example
 * expectedCalibrationError(new Float32Array([0.5, 0.5]), new Uint8Array([0, 1])) // 0
 */
export function expectedCalibrationError(m: Float32Array, label: VoxelArray, binCount = 15): number {
  return calibration(m, label, binCount).ece
}

/**
 * The Brier score alone, the mean of (m − y)²; see `calibration`.
 *
 * @throws InputError where the arrays differ in length or a probability lies outside [0, 1].
 * @example
 * brierScore(new Float32Array([0.5, 1]), new Uint8Array([0, 1])) // 0.125
 */
export function brierScore(m: Float32Array, label: VoxelArray): number {
  return calibration(m, label, 1).brier
}
