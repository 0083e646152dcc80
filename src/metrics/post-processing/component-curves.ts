import type { PostProcessing } from '../../decision/decode/post-process.ts'
import type { Box } from '../../volume/box.ts'
import type { Vec3 } from '../../volume/grid.ts'
import type { LabelArray } from '../../volume/labels.ts'
import { binOf, tableCuts } from '../cut-table.ts'
import { fillLevels } from './fill-levels.ts'
import { type CutCounts, type GrownComponents, growComponents, type SweptLevels } from './grow-components.ts'

/** The volumes, in mm³, below which components may be removed: half a decade apart, which cohorts hardly tell. */
export const componentVolumesMm3: readonly number[] = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000]

/**
 * By how much post-processing changes the Dice of the mask {m ≥ tableCuts[i]}, for every cut i, by `keyOf` what is
 * done. Plain data, which crosses processes; what changes nothing at any cut is left out.
 */
export type ComponentCurves = ReadonlyMap<string, Float32Array>

/** The Dice at every cut after post-processing, from that of the masks as they are cut. */
export function postProcessedDice(dice: Float64Array, curves: ComponentCurves, post: PostProcessing): Float64Array {
  const change = curves.get(keyOf(post))
  return change === undefined ? dice : dice.map((value, cut) => value + change[cut])
}

/** What post-processing adds to the Dice at one cut. */
export function diceChange(curves: ComponentCurves, post: PostProcessing, cut: number): number {
  return curves.get(keyOf(post))?.[cut] ?? 0
}

/** Whether post-processing changes the Dice at any cut. */
export function changesDice(curves: ComponentCurves, post: PostProcessing): boolean {
  return curves.has(keyOf(post))
}

const keyOf = ({ holes, keep }: PostProcessing): string => `${holes ? 'filled ' : ''}${keep}`

/** Cuts below are taken to change nothing: no rule cuts there, and the tails of networks are wide. */
const floor = tableCuts.findIndex((cut) => cut >= 0.01)

/**
 * The curves of a map against a reference, exact at every cut from 0.01 on, from one sweep over the map in which voxels
 * join components from the most probable on, and another over the map with its holes filled. Where the reference is
 * negative nobody has annotated: such a voxel counts in no Dice, though it joins components.
 *
 * @param inside whether a label of the reference belongs to the class
 */
export function componentCurves(
  map: Float32Array,
  { shape, voxelMm3 }: { readonly shape: Vec3; readonly voxelMm3: number },
  reference: LabelArray,
  inside: (label: number) => boolean,
): ComponentCurves {
  const changes = new Map<string, Float32Array>()
  const box = boxFrom(map, shape, tableCuts[floor])
  if (box === undefined) return changes
  let size = 0
  for (let v = 0; v < reference.length; v++) if (reference[v] >= 0 && inside(reference[v])) size++
  const swept = sweptLevels(map, shape, box, reference, inside)
  const minVoxels = componentVolumesMm3.map((mm3) => mm3 / voxelMm3)
  const plain = growComponents(swept, minVoxels)
  const before = diceOf(plain.all, size)
  const add = (holes: boolean, { all, largest, large }: GrownComponents): void => {
    const kept: [PostProcessing['keep'], CutCounts][] = [
      ['all', all],
      ['largest', largest],
      ...large.map((counts, v): [number, CutCounts] => [componentVolumesMm3[v], counts]),
    ]
    for (const [keep, counts] of kept) {
      const change = Float32Array.from(diceOf(counts, size), (dice, cut) => (cut < floor ? 0 : dice - before[cut]))
      if (change.some((x) => x !== 0)) changes.set(keyOf({ holes, keep }), change)
    }
  }
  add(false, plain)
  // Axes of one voxel have no edge by which a hole could be open.
  const levels = fillLevels(swept.levels, box.shape, [shape[0] > 1, shape[1] > 1, shape[2] > 1])
  const holes = levels.some((level, v) => level !== swept.levels[v])
  add(true, holes ? growComponents({ ...swept, levels }, minVoxels) : plain)
  return changes
}

/** The smallest box that holds every voxel from `least` on. */
function boxFrom(map: Float32Array, [nx, ny, nz]: Vec3, least: number): Box | undefined {
  const low = [nx, ny, nz]
  const high = [-1, -1, -1]
  for (let k = 0, row = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++, row += nx) {
      let first = 0
      while (first < nx && !(map[row + first] >= least)) first++
      if (first === nx) continue
      let last = nx - 1
      while (!(map[row + last] >= least)) last--
      low[0] = Math.min(low[0], first)
      high[0] = Math.max(high[0], last)
      low[1] = Math.min(low[1], j)
      high[1] = Math.max(high[1], j)
      low[2] = Math.min(low[2], k)
      high[2] = k
    }
  }
  if (high[2] < 0) return undefined
  const length = (axis: number): number => high[axis] - low[axis] + 1
  return { start: [low[0], low[1], low[2]], shape: [length(0), length(1), length(2)] }
}

/** The part of a map in a box, and what its voxels are in the reference. */
function sweptLevels(
  map: Float32Array,
  [nx, ny]: Vec3,
  { start, shape }: Box,
  reference: LabelArray,
  inside: (label: number) => boolean,
): SweptLevels {
  const levels = new Uint16Array(shape[0] * shape[1] * shape[2])
  const weights = new Uint8Array(levels.length)
  let to = 0
  for (let k = 0; k < shape[2]; k++) {
    for (let j = 0; j < shape[1]; j++) {
      let from = ((start[2] + k) * ny + start[1] + j) * nx + start[0]
      for (let i = 0; i < shape[0]; i++, from++, to++) {
        const level = binOf(map[from])
        // Level 0 is no part of any mask.
        levels[to] = level > floor ? level : 0
        const label = reference[from]
        weights[to] = label < 0 ? 0 : inside(label) ? 2 : 1
      }
    }
  }
  return { levels, weights, shape }
}

/** Dice against a reference of `size` voxels; both empty count as 1. */
function diceOf({ volume, hits }: CutCounts, size: number): Float64Array {
  return Float64Array.from(tableCuts, (_, cut) =>
    volume[cut] + size === 0 ? 1 : (2 * hits[cut]) / (volume[cut] + size),
  )
}
