import { optimalCut } from './optimal-cut.ts'
import { chunksOf, type Probabilities } from './probabilities.ts'

/** The mask of the reciprocal-moment approximation. Volumes are in voxels. */
export interface RmaOptimum {
  /**
   * max_k 2S_k/(‖m‖ + k + 1): a lower bound of the expected Dice of the mask under independent voxels; 1 where ‖m‖ = 0.
   */
  readonly approximateDice: number
  /** Half of it: the mask is {m ≥ threshold}. */
  readonly threshold: number
  /** ‖m‖, the expected volume. */
  readonly probabilityVolume: number
  /** #{m ≥ threshold}. */
  readonly volume: number
  /** volume/‖m‖; 1 where ‖m‖ = 0. */
  readonly volumeRatio: number
}

/**
 * The mask of the k largest probabilities that maximises 2S_k/(‖m‖ + k + 1), with S_k the sum of those k: the
 * reciprocal-moment approximation (Wang & Dai, NeurIPS 2025) of the mask with the largest expected Dice under
 * independent voxels (Dai & Li, JMLR 2023; docs/theory.md, "What soft-Dice is not"). It is soft-Dice's criterion with
 * one more voxel in the denominator, so the mask is again a cut at half the value reached; for volumes of thousands of
 * voxels the two cuts are nearly the same.
 *
 * By Jensen's inequality the value is a lower bound of that mask's expected Dice: `independentDiceOptimum` gives the
 * exact one.
 *
 * @param m Probabilities in [0, 1]; several arrays are pooled. ‖m‖ = 0: the empty mask, value 1, threshold ½.
 * @throws InputError where a value is NaN or outside [0, 1.00001].
 * @example
 * rmaOptimum(new Float32Array([1, 0.3])).threshold // 1/3.3: {1} reaches 2/(1.3 + 1 + 1), both only 2.6/4.3
 */
export function rmaOptimum(m: Probabilities): RmaOptimum {
  const { swept, cut } = optimalCut(chunksOf(m), 'rma')
  const empty = swept.total === 0
  return {
    approximateDice: empty ? 1 : (2 * cut.sum) / (cut.count + swept.total + 1),
    threshold: cut.threshold,
    probabilityVolume: swept.total,
    volume: cut.count,
    volumeRatio: empty ? 1 : cut.count / swept.total,
  }
}
