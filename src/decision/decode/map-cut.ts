import { largestBits } from '../../kernels/voxels.ts'
import { floatOfBits } from '../probabilities.ts'
import { rmaOptimum } from '../rma.ts'
import { type SoftDiceOptimum, softDiceOptimum } from '../soft-dice.ts'
import { softDiceAt } from '../soft-dice-at.ts'
import { volumeCut } from '../volume-cut.ts'
import type { Holding } from './label-decoder.ts'
import type { CheckedOptions } from './options.ts'
import { type Presence, presenceOf } from './presence.ts'

/** How one map is cut on its own, before other classes are looked at. */
export interface MapDecision {
  readonly optimum: SoftDiceOptimum
  /** The largest probability. */
  readonly largest: number
  /** What stands for ½. */
  readonly half: number
  /** Undefined where presence is not asked: thresholds are given, or the metric is accuracy. */
  readonly presence: Presence | undefined
  readonly threshold: number
  /** The map's own mask {m ≥ threshold}, empty where the class is left out. */
  readonly own: Holding
}

/** Decides about one map: its threshold, and whether its class is there. */
export function decideMap(m: Float32Array, index: number, options: CheckedOptions): MapDecision {
  const half = options.halves[index] ?? 0.5
  const optimum = withHalf(softDiceOptimum(m), m, half)
  const largest = largestOf(m)
  const given = options.at[index] ?? (options.metric === 'accuracy' ? 0.5 : undefined)
  if (given !== undefined) {
    return { optimum, largest, half, presence: undefined, threshold: given, own: maskAt(m, given, optimum) }
  }
  const { supDice, volume, probabilityVolume: total, threshold } = optimum
  const best = {
    sum: (supDice * (volume + total)) / 2,
    count: volume,
    // One of the two sets holds the other. t* never exceeds ½, but what stands for ½ may be less.
    countHalf: Math.min(volume, optimum.volumeHalf),
  }
  const { alone } = options
  const smallestElsewhere = options.smallestElsewhere[index]
  const evidence = { ...best, largest, total, voxels: m.length, alone, smallestElsewhere }
  const presence = presenceOf(evidence, options.presence)
  const decided = { optimum, largest, half, presence }
  const otherCut = options.metric === 'volume' ? volumeCut : options.criteria[index] === 'rma' ? rmaOptimum : undefined
  if (presence.mask === 'optimal' && otherCut) {
    const { threshold: other } = otherCut(m)
    return { ...decided, threshold: other, own: maskAt(m, other, optimum) }
  }
  if (presence.mask === 'optimal') return { ...decided, threshold, own: best }
  if (presence.mask === 'half') return { ...decided, threshold: 0.5, own: maskAt(m, 0.5, optimum) }
  return { ...decided, threshold, own: { sum: 0, count: 0, countHalf: 0 } }
}

/** The optimum, its words about ½ those of what stands for ½. */
function withHalf(optimum: SoftDiceOptimum, m: Float32Array, half: number): SoftDiceOptimum {
  if (half === 0.5) return optimum
  const { dice, volume } = softDiceAt(m, half)
  const total = optimum.probabilityVolume
  return { ...optimum, diceAtHalf: dice, volumeHalf: volume, volumeRatioHalf: total === 0 ? 1 : volume / total }
}

function maskAt(
  m: Float32Array,
  threshold: number,
  { probabilityVolume: total, volumeHalf }: SoftDiceOptimum,
): Holding {
  const { dice, volume } = softDiceAt(m, threshold)
  const sum = volume === 0 ? 0 : (dice * (volume + total)) / 2
  return { sum, count: volume, countHalf: Math.min(volume, volumeHalf) }
}

/** The largest probability, by its bits: a fraction of the time of comparing numbers. */
function largestOf(m: Float32Array): number {
  const bits = largestBits(m)
  // By its bits −0 is the largest of all.
  return bits < 2 ** 31 ? floatOfBits(bits) : m.reduce((a, b) => Math.max(a, b), 0)
}
