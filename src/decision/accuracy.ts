import { ExactSum } from './exact-sum.ts'
import { chunksOf, type Probabilities, voxelsOf } from './probabilities.ts'
import { sweep } from './sweep.ts'

/** The Accuracy-optimal mask. Volumes are in voxels. */
export interface AccuracyOptimum {
  /** The best expected Accuracy: the mean of max(m, 1 − m); 1 where there are no voxels. */
  readonly supAccuracy: number
  /** ½: the mask is {m ≥ ½}. */
  readonly threshold: number
  /** ‖m‖, the expected volume. */
  readonly probabilityVolume: number
  /** ‖s‖ of {m ≥ ½}, the largest optimal mask. */
  readonly volume: number
  /** ‖s‖ of {m > ½}, the smallest: voxels at ½ may be in or out at no cost. */
  readonly volumeWithoutTies: number
  /** ‖s‖/‖m‖ of {m ≥ ½}; 1 where ‖m‖ = 0. */
  readonly volumeRatio: number
}

/**
 * The mask that maximises the expected Accuracy Σ[s·m + (1−s)(1−m)]/n for marginal probabilities m: a voxel is in where
 * m ≥ ½ (Nordström, Hult, Söderberg, Löfman, arXiv 2206.06484; docs/theory.md, "Optimal predictions"). It is also the
 * optimal cross-entropy prediction cut at ½.
 *
 * @param m Probabilities in [0, 1]; several arrays are pooled.
 * @throws InputError where a value is NaN or outside [0, 1.00001].
 * @example
 * accuracyOptimum(new Float32Array([0.9, 0.4])).supAccuracy // 0.75 = (0.9 + 0.6)/2
 */
export function accuracyOptimum(m: Probabilities): AccuracyOptimum {
  const chunks = chunksOf(m)
  const voxels = voxelsOf(chunks)
  // The float32 after ½ as the upper bound: what is above it is m > ½.
  const { total, sumHalf, countHalf, countAbove } = sweep(chunks, 0.5 + 2 ** -24, 0.5 + 2 ** -24, 0)
  const correct = new ExactSum()
  for (const term of [voxels - countHalf, -total, 2 * sumHalf]) correct.add(term)
  return {
    supAccuracy: voxels === 0 ? 1 : correct.value / voxels,
    threshold: 0.5,
    probabilityVolume: total,
    volume: countHalf,
    volumeWithoutTies: countAbove,
    volumeRatio: total === 0 ? 1 : countHalf / total,
  }
}
