import type { Sweep } from './sweep.ts'

/** A mask {m ≥ threshold} that maximises 2·sum/(count + ‖m‖ + offset). */
export interface Cut {
  readonly threshold: number
  /** Sum and number of the probabilities in the mask. */
  readonly sum: number
  readonly count: number
  /** How many of them equal the threshold: they may be in or out at no cost. */
  readonly ties: number
}

/** Which ratio 2Σ_S m/(#S + ‖m‖ + offset) is maximised: soft Dice's, or that of the reciprocal-moment approximation. */
export type Criterion = 'soft-dice' | 'rma'

export const criterionOffset: Readonly<Record<Criterion, number>> = { 'soft-dice': 0, rma: 1 }

/**
 * Dinkelbach's iteration over the values that a sweep found between its bounds, starting at the lower one. Where t*
 * lies below it, the half Dice of the mask that showed this is returned instead: a lower bound of t*.
 *
 * Each threshold d/2 reached is that of a mask, so none passes t* = max d/2; they rise until the mask stays the same.
 * Sums are taken in one order, so the same mask gives the same number. Where rounding lifts d/2 above the mask's own
 * smallest value (‖m‖ below 10⁻¹⁶ of the volume), that value is the threshold.
 */
export function solveInside(swept: Sweep, inside: Float32Array, low: number, criterion: Criterion): Cut | number {
  const denominator = swept.total + criterionOffset[criterion]
  let best = cutInside(swept, inside, low)
  let reached = best.sum / (best.count + denominator)
  while (reached >= low) {
    const next = cutInside(swept, inside, reached)
    const value = next.sum / (next.count + denominator)
    if (value < reached) return { ...best, threshold: best.smallest, ties: best.smallestCount }
    if (value === reached) {
      return { ...next, threshold: reached, ties: next.smallest === reached ? next.smallestCount : 0 }
    }
    best = next
    reached = value
  }
  return reached
}

interface CutInside {
  readonly sum: number
  readonly count: number
  readonly smallest: number
  readonly smallestCount: number
}

/** Sum, number and smallest of the values ≥ threshold. */
function cutInside(swept: Sweep, inside: Float32Array, threshold: number): CutInside {
  let [sum, count, smallest, smallestCount] = [0, 0, Number.POSITIVE_INFINITY, 0]
  for (let i = 0; i < inside.length; i++) {
    const x = inside[i]
    if (x >= threshold) {
      sum += x
      count++
      if (x <= smallest) {
        smallestCount = x === smallest ? smallestCount + 1 : 1
        smallest = x
      }
    }
  }
  return { sum: sum + swept.sumAbove, count: count + swept.countAbove, smallest, smallestCount }
}
