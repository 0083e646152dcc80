import { optimalCut } from './optimal-cut.ts'
import { chunksOf, type Probabilities } from './probabilities.ts'

/** The soft-Dice-optimal mask and what it would cost to cut at ½ instead. Volumes are in voxels. */
export interface SoftDiceOptimum {
  /** D*, the sup-Dice: the largest 2Σs·m/(‖s‖+‖m‖) that any mask reaches. */
  readonly supDice: number
  /** t* = ½D*: the optimal mask is {m ≥ t*}, each float32 probability compared as the float64 it equals. */
  readonly threshold: number
  /** ‖m‖, the sum of the probabilities: the expected volume. */
  readonly probabilityVolume: number
  /** ‖s‖ of {m ≥ t*}, the largest optimal mask. */
  readonly volume: number
  /** ‖s‖ of {m > t*}, the smallest: voxels at t* may be in or out at no cost. */
  readonly volumeWithoutTies: number
  /** ‖s‖/‖m‖ of {m ≥ t*}; 1 where ‖m‖ = 0. */
  readonly volumeRatio: number
  /** ‖m‖(2/D* − 1), which no optimal mask's volume exceeds. */
  readonly volumeBound: number
  /** Soft Dice of {m ≥ ½}: 2Σ_{m≥½} m/(#{m≥½}+‖m‖). */
  readonly diceAtHalf: number
  /** Number of voxels with m ≥ ½: the volume of the Accuracy-optimal mask. */
  readonly volumeHalf: number
  /** volumeHalf/‖m‖; 1 where ‖m‖ = 0. */
  readonly volumeRatioHalf: number
  /** Number of voxels given. */
  readonly voxels: number
}

/**
 * The mask that minimises the soft-Dice loss for marginal probabilities m: s* = 1{m ≥ t*} with t* = ½D* and
 * D* = max_s 2Σs·m/(‖s‖+‖m‖) (Nordström, Hult, Maki, arXiv 2304.04116; docs/theory.md, "Optimal predictions").
 *
 * One array gives the threshold of a case. Several arrays are pooled: the chunks of one large case, or all cases of a
 * data set, whose common threshold optimises the Dice of the pooled voxels.
 *
 * Exact up to the rounding of float64: sums of up to 10⁹ probabilities are compensated. Takes one pass over memory in
 * most cases (see `optimalCut`), in at most 16 MB of its own. Where ‖m‖ = 0 the empty mask is optimal, its Dice is 1 by
 * convention and the threshold is ½.
 *
 * `threshold` is `supDice/2` except where that, rounded, would exclude the mask's own smallest value (only for ‖m‖
 * below about 10⁻¹⁶ of the volume); then it is that value.
 *
 * @param m Probabilities in [0, 1]; values up to 1.00001 pass as rounding of a float32 softmax.
 * @throws InputError where a value is NaN, negative or larger, naming its index.
 * @example
 * softDiceOptimum(new Float32Array([1, 0.25, 0])).threshold // 0.444…: {1} has Dice 2·1/(1 + 1.25)
 */
export function softDiceOptimum(m: Probabilities): SoftDiceOptimum {
  const { swept, cut } = optimalCut(chunksOf(m), 'soft-dice')
  return describeSoftDice({ ...swept, ...cut })
}

/** Sums that determine a `SoftDiceOptimum`. */
export interface SoftDiceSums {
  readonly voxels: number
  readonly total: number
  readonly sumHalf: number
  readonly countHalf: number
  readonly threshold: number
  readonly sum: number
  readonly count: number
  readonly ties: number
}

/** The optimum in the words of the public interface, and the conventions for ‖m‖ = 0. */
export function describeSoftDice(sums: SoftDiceSums): SoftDiceOptimum {
  const { total, sum, count, sumHalf, countHalf, threshold, ties, voxels } = sums
  const empty = total === 0
  const supDice = empty ? 1 : (2 * sum) / (count + total)
  return {
    supDice,
    threshold: empty ? 0.5 : threshold,
    probabilityVolume: total,
    volume: count,
    volumeWithoutTies: count - ties,
    volumeRatio: empty ? 1 : count / total,
    volumeBound: total * (2 / supDice - 1),
    diceAtHalf: empty ? 1 : (2 * sumHalf) / (countHalf + total),
    volumeHalf: countHalf,
    volumeRatioHalf: empty ? 1 : countHalf / total,
    voxels,
  }
}
