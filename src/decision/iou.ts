import type { Probabilities } from './probabilities.ts'
import { softDiceOptimum } from './soft-dice.ts'

/** The soft-IoU-optimal mask and what it would cost to cut at ½ instead. Volumes are in voxels. */
export interface IouOptimum {
  /** J*, the largest Σs·m/(‖s‖ + ‖m‖ − Σs·m) that any mask reaches. */
  readonly supIou: number
  /** t* = J*⁄(1 + J*): the optimal mask is {m ≥ t*}. The same number as soft-Dice's t*. */
  readonly threshold: number
  /** ‖m‖, the expected volume. */
  readonly probabilityVolume: number
  /** ‖s‖ of {m ≥ t*}, the largest optimal mask. */
  readonly volume: number
  /** ‖s‖ of {m > t*}, the smallest. */
  readonly volumeWithoutTies: number
  /** ‖s‖/‖m‖ of {m ≥ t*}; 1 where ‖m‖ = 0. */
  readonly volumeRatio: number
  /** Soft IoU of {m ≥ ½}. */
  readonly iouAtHalf: number
}

/**
 * The mask that minimises the soft-Jaccard (IoU) loss for marginal probabilities m. Since J = D/(2 − D) rises with D,
 * it is soft-Dice's mask, with J* = D*⁄(2 − D*) and t* = J*⁄(1 + J*) (docs/theory.md, "Optimal predictions").
 *
 * @param m Probabilities in [0, 1]; several arrays are pooled. ‖m‖ = 0: the empty mask, IoU 1, threshold ½.
 * @throws InputError where a value is NaN or outside [0, 1.00001].
 * @example
 * iouOptimum(new Float32Array([1, 0.25, 0])).supIou // 0.8 = 1/1.25, t* = 0.8/1.8
 */
export function iouOptimum(m: Probabilities): IouOptimum {
  const { supDice, diceAtHalf, threshold, probabilityVolume, volume, volumeWithoutTies, volumeRatio } =
    softDiceOptimum(m)
  return {
    supIou: iouOfDice(supDice),
    threshold,
    probabilityVolume,
    volume,
    volumeWithoutTies,
    volumeRatio,
    iouAtHalf: iouOfDice(diceAtHalf),
  }
}

/** J = D/(2 − D). */
function iouOfDice(dice: number): number {
  return dice / (2 - dice)
}
