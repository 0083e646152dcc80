import type { LabelArray } from '../volume/labels.ts'

/** Cuts are tabulated at logits −10, −9.98 … 10: 0.5 % apart at ½, and ½ itself is one of them. */
const step = 0.02
const half = 500

/** The probabilities at which a `CutTable` knows everything, ascending. */
export const tableCuts: Float64Array = Float64Array.from(
  { length: 2 * half + 1 },
  (_, i) => 1 / (1 + Math.exp(-step * (i - half))),
)
/** The index of ½ in `tableCuts`. */
export const halfCut = half

/**
 * What thresholding one map at any of `tableCuts` gives against a reference, from one pass over both: voxels, voxels of
 * the reference, and sums of probabilities between neighbouring cuts. Scores at cuts are exact; calibrations are
 * applied between.
 */
export class CutTable {
  /** Voxels with tableCuts[b − 1] ≤ m < tableCuts[b], for b = 0 … tableCuts.length. */
  readonly counts: Float64Array = new Float64Array(tableCuts.length + 1)
  /** Those of them that are in the reference. */
  readonly hits: Float64Array = new Float64Array(tableCuts.length + 1)
  /** Σ m over them. */
  readonly sums: Float64Array = new Float64Array(tableCuts.length + 1)

  /**
   * Adds voxels; those in the reference have a label for which `inside` holds. Where the reference is negative nobody
   * has annotated, and the voxel is left out.
   */
  add(map: Float32Array, reference: LabelArray, inside: (label: number) => boolean): void {
    const { counts, hits, sums } = this
    const table = tableOf(reference, inside)
    for (let i = 0; i < map.length; i++) {
      if (reference[i] < 0) continue
      const m = map[i]
      const b = binOf(m)
      counts[b]++
      sums[b] += m
      hits[b] += table[reference[i]] ?? 0
    }
  }
}

/** 1 for labels inside, by label; labels are few. */
function tableOf(reference: LabelArray, inside: (label: number) => boolean): Uint8Array {
  let largest = 0
  for (let i = 0; i < reference.length; i++) if (reference[i] > largest) largest = reference[i]
  return Uint8Array.from({ length: Math.min(largest, 1 << 20) + 1 }, (_, label) => Number(inside(label)))
}

const last = tableCuts.length

/** How many of `tableCuts` m reaches: guessed by its logit, then put right, since logarithms round. */
export function binOf(m: number): number {
  if (!(m >= tableCuts[0])) return 0
  if (m >= tableCuts[last - 1]) return last
  let b = Math.floor(Math.log(m / (1 - m)) / step) + half + 1
  while (b > 0 && m < tableCuts[b - 1]) b--
  while (b < last && m >= tableCuts[b]) b++
  return b
}

/** Dice against the reference of the mask {m ≥ tableCuts[i]}, for every i; both empty count as 1. */
export function diceAtCuts({ counts, hits }: CutTable): Float64Array {
  const reference = hits.reduce((a, b) => a + b, 0)
  const dice = new Float64Array(tableCuts.length)
  let [volume, both] = [0, 0]
  for (let i = tableCuts.length - 1; i >= 0; i--) {
    volume += counts[i + 1]
    both += hits[i + 1]
    dice[i] = volume + reference === 0 ? 1 : (2 * both) / (volume + reference)
  }
  return dice
}

/** A cut with its soft Dice, Σ m and the number of voxels above it, and ‖m‖. */
export interface SoftCut {
  readonly cut: number
  readonly supDice: number
  readonly sum: number
  readonly count: number
  readonly total: number
}

/**
 * The cut with the largest soft Dice when probabilities are replaced by `calibrate` of their mean between cuts, and
 * that soft Dice. `calibrate` must not fall.
 *
 * @param offset added to the denominator: 1 for the reciprocal-moment approximation (see `rmaOptimum`)
 */
export function bestSoftCut(
  { counts, sums }: CutTable,
  calibrate: (m: number) => number = (m) => m,
  offset = 0,
): SoftCut {
  const mass = counts.map((n, b) => (n === 0 ? 0 : n * calibrate(sums[b] / n)))
  const total = mass.reduce((a, b) => a + b, 0)
  let best: SoftCut = { cut: halfCut, supDice: total === 0 ? 1 : 0, sum: 0, count: 0, total }
  let [sum, count] = [0, 0]
  for (let i = tableCuts.length - 1; i >= 0; i--) {
    sum += mass[i + 1]
    count += counts[i + 1]
    const supDice = total === 0 ? 1 : (2 * sum) / (count + total + offset)
    if (supDice > best.supDice) best = { cut: i, supDice, sum, count, total }
  }
  return best
}

/** The cut with the largest mean of the curves of `diceAtCuts`; of a plateau, its middle. */
export function bestMeanCut(curves: readonly Float64Array[]): number {
  const sum = new Float64Array(tableCuts.length)
  for (const curve of curves) for (let cut = 0; cut < sum.length; cut++) sum[cut] += curve[cut]
  const most = sum.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const first = sum.findIndex((value) => value >= most - 1e-12)
  const last = sum.findLastIndex((value) => value >= most - 1e-12)
  return (first + last) >> 1
}
