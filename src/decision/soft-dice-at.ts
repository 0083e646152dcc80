import { checkThreshold, chunksOf, type Probabilities } from './probabilities.ts'
import { sweep } from './sweep.ts'

/** The soft Dice of the mask {m ≥ threshold}, and its volume in voxels. */
export interface SoftDiceAt {
  /** 2Σ_{m≥t} m/(#{m≥t} + ‖m‖); 1 where both are empty. */
  readonly dice: number
  readonly volume: number
}

/**
 * What a given threshold's mask is worth under marginal probabilities m (docs/theory.md, "Optimal predictions"); the
 * best is `softDiceOptimum(m)`.
 *
 * @param threshold from 0 to 1; 0 takes in every voxel with m > 0
 * @throws InputError where a value of m is NaN or outside [0, 1.00001], or the threshold outside [0, 1]
 * @example
 * softDiceAt(new Float32Array([1, 0.25, 0]), 0.2) // { dice: 2·1.25/(2 + 1.25) = 0.769…, volume: 2 }
 */
export function softDiceAt(m: Probabilities, threshold: number): SoftDiceAt {
  const { total, sumAbove, countAbove } = sweep(chunksOf(m), checkThreshold(threshold), threshold, 0)
  const empty = countAbove === 0 && total === 0
  return { dice: empty ? 1 : (2 * sumAbove) / (countAbove + total), volume: countAbove }
}
