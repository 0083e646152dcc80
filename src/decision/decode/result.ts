import type { NearOptimalThresholds } from '../dice-curve.ts'
import type { Holding } from './label-decoder.ts'
import type { MapDecision } from './map-cut.ts'
import type { Presence } from './presence.ts'

/**
 * What a map's mask is worth, by the map's own probabilities. Everything describes the mask that is written. Volumes
 * are in voxels.
 */
export interface MapResult {
  /** Where the map was cut; undefined where the mask is no cut of it (the argmax of several maps). */
  readonly threshold: number | undefined
  /** D*, the most that any mask of this map can be expected to reach. */
  readonly supDice: number
  /**
   * The soft Dice of the mask as it is written, after presence and the other classes. 1 where mask and map are empty.
   */
  readonly softDice: number
  /** The soft Dice of {m ≥ ½}. */
  readonly diceAtHalf: number
  readonly volume: number
  readonly volumeHalf: number
  /** ‖m‖. */
  readonly probabilityVolume: number
  /** The largest probability. */
  readonly largest: number
  /** Whether the mask that is written holds a voxel. */
  readonly present: boolean
  /** Why the class was taken as present or absent; undefined where that was not asked. */
  readonly presence?: Presence
  /** Thresholds whose soft Dice is within 0.01 of D*. */
  readonly near?: NearOptimalThresholds
  /** Voxels of the map's own mask that went to other classes. */
  readonly lostVolume: number
  /** Dice of the mask with {m ≥ ½}: how much changed. 1 where both are empty. */
  readonly agreementWithHalf: number
}

/** A decision about a map, and what came of it. */
export interface Outcome {
  readonly decision: MapDecision
  readonly near: NearOptimalThresholds | undefined
  /** Whether the mask is a cut at the decision's threshold. */
  readonly isCut: boolean
  /** The mask in the end, and before post-processing; how many voxels of the map's own mask are in the latter. */
  readonly final: Holding
  readonly shared: Holding
  readonly kept: number
}

export function describeMap({ decision, near, isCut, final, kept }: Outcome): MapResult {
  const { optimum, largest, presence, threshold, own } = decision
  const { supDice, diceAtHalf, volumeHalf, probabilityVolume } = optimum
  return {
    threshold: isCut ? threshold : undefined,
    supDice,
    softDice: softDiceOf(final, probabilityVolume),
    diceAtHalf,
    volume: final.count,
    volumeHalf,
    probabilityVolume,
    largest,
    present: final.count > 0,
    ...(presence && { presence }),
    ...(near && { near }),
    lostVolume: own.count - kept,
    agreementWithHalf: final.count + volumeHalf === 0 ? 1 : (2 * final.countHalf) / (final.count + volumeHalf),
  }
}

/** How much soft Dice, on average over the classes with a mask of their own, sharing out the voxels cost. */
export function sharingLoss(outcomes: readonly (Outcome | undefined)[]): number {
  const losses = outcomes.flatMap((outcome) => {
    if (!outcome || outcome.decision.own.count === 0) return []
    const total = outcome.decision.optimum.probabilityVolume
    return [softDiceOf(outcome.decision.own, total) - softDiceOf(outcome.shared, total)]
  })
  return losses.length === 0 ? 0 : losses.reduce((a, b) => a + b) / losses.length
}

function softDiceOf({ sum, count }: Holding, total: number): number {
  return count + total === 0 ? 1 : (2 * Math.max(0, sum)) / (count + total)
}
