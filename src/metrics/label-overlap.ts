import type { LabelArray } from '../volume/labels.ts'
import type { Overlap } from './overlap.ts'

/**
 * The overlap of each of the given labels, counted in one pass over both maps, or over voxels `from` to `to`
 * (exclusive) of them. `diceOf` makes a Dice of each.
 *
 * @example
 * const overlaps = labelOverlaps(new Uint8Array([0, 1, 2]), new Uint8Array([1, 1, 2]), [1, 2])
 * overlaps.get(1) // { voxelsA: 1, voxelsB: 2, voxelsBoth: 1 }
 */
export function labelOverlaps(
  a: LabelArray,
  b: LabelArray,
  labels: readonly number[],
  from = 0,
  to = a.length,
): Map<number, Overlap> {
  const overlaps = new Map(labels.map((label) => [label, { voxelsA: 0, voxelsB: 0, voxelsBoth: 0 }]))
  for (const { x, y, count } of countPairs(a, b, from, to)) {
    const [inA, inB] = [overlaps.get(x), overlaps.get(y)]
    if (inA) inA.voxelsA += count
    if (inB) inB.voxelsB += count
    if (inA && x === y) inA.voxelsBoth += count
  }
  return overlaps
}

/**
 * Number of voxels of every pair (label in a, label in b) that occurs. Pairs come in runs: only a change is looked up.
 */
function countPairs(a: LabelArray, b: LabelArray, from: number, to: number): { x: number; y: number; count: number }[] {
  const table = new Map<number, Map<number, { x: number; y: number; count: number }>>()
  const lookUp = (x: number, y: number) => {
    const row = table.get(x) ?? new Map<number, { x: number; y: number; count: number }>()
    table.set(x, row)
    const cell = row.get(y) ?? { x, y, count: 0 }
    row.set(y, cell)
    return cell
  }
  for (let i = from; i < to; ) {
    const [x, y] = [a[i], b[i]]
    const start = i
    while (i < to && a[i] === x && b[i] === y) i++
    lookUp(x, y).count += i - start
  }
  return [...table.values()].flatMap((row) => [...row.values()])
}
