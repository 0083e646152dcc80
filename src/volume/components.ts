import { boxOf } from './box.ts'
import { backgroundRuns, type ComponentRuns, type Connectivity, componentRuns } from './component-runs.ts'
import type { Vec3 } from './grid.ts'
import type { LabelArray } from './labels.ts'

export type { Connectivity }

/** The connected components of a mask. */
export interface Components {
  /** For each voxel the number of its component, from 1 in the order of their first voxels; 0 outside the mask. */
  readonly numbers: Int32Array
  /** Voxels of each component; entry 0 belongs to component 1. */
  readonly sizes: readonly number[]
}

/**
 * The connected components of a mask (what is not 0 is inside), as scipy.ndimage.label finds them.
 *
 * @param connectivity default 26
 */
export function connectedComponents(mask: LabelArray, shape: Vec3, connectivity: Connectivity = 26): Components {
  const runs = componentRuns(mask, shape, connectivity)
  const numbers = new Int32Array(mask.length)
  for (let run = 0; run < runs.count; run++) numbers.fill(runs.component[run] + 1, runs.start[run], runs.end[run])
  return { numbers, sizes: runs.sizes }
}

/**
 * The largest component of a mask, as 0 and 1; of several equally large ones the first in memory.
 *
 * @param connectivity default 26, as in nnU-Net's `remove_all_but_largest_component`
 */
export function largestComponent(mask: LabelArray, shape: Vec3, connectivity: Connectivity = 26): Uint8Array {
  const runs = componentRuns(mask, shape, connectivity)
  let largest = 0
  for (const [component, voxels] of runs.sizes.entries()) if (voxels > runs.sizes[largest]) largest = component
  return fill(new Uint8Array(mask.length), runs, (component) => component === largest)
}

/**
 * The components of a mask that have at least `minVoxels` voxels, as 0 and 1.
 *
 * @param connectivity default 26
 */
export function withoutSmallComponents(
  mask: LabelArray,
  shape: Vec3,
  minVoxels: number,
  connectivity: Connectivity = 26,
): Uint8Array {
  const runs = componentRuns(mask, shape, connectivity)
  return fill(new Uint8Array(mask.length), runs, (component) => runs.sizes[component] >= minVoxels)
}

/**
 * A mask, as 0 and 1, with its holes: background components that do not reach the image's edge. Axes of one voxel have
 * no edge, so that holes of a 2-D image are those of its plane. As scipy.ndimage.binary_fill_holes.
 *
 * @param connectivity of the background; default 6, so that a surface that is closed for a mask of 26 holds
 */
export function withHolesFilled(mask: LabelArray, shape: Vec3, connectivity: Connectivity = 6): Uint8Array {
  const filled = new Uint8Array(mask.length)
  for (let v = 0; v < mask.length; v++) filled[v] = mask[v] !== 0 ? 1 : 0
  // Background at the faces of the mask's box leads out of it, or lies at the image's edge.
  const box = boxOf(mask, shape, 0)
  if (box === undefined) return filled
  const runs = backgroundRuns(mask, shape, box, connectivity)
  const open = new Uint8Array(runs.sizes.length)
  const low = box.start
  const high = low.map((first, axis) => first + box.shape[axis] - 1)
  const atFace = (at: number, axis: number) => shape[axis] > 1 && (at === low[axis] || at === high[axis])
  for (let run = 0; run < runs.count; run++) {
    const row = Math.floor(runs.start[run] / shape[0])
    const first = runs.start[run] - row * shape[0]
    const k = Math.floor(row / shape[1])
    const reaches =
      atFace(k, 2) ||
      atFace(row - k * shape[1], 1) ||
      atFace(first, 0) ||
      atFace(first + runs.end[run] - runs.start[run] - 1, 0)
    if (reaches) open[runs.component[run]] = 1
  }
  return fill(filled, runs, (component) => open[component] === 0)
}

/** Sets the voxels of some components to 1. */
function fill(mask: Uint8Array, runs: ComponentRuns, keep: (component: number) => boolean): Uint8Array {
  for (let run = 0; run < runs.count; run++) {
    if (keep(runs.component[run])) mask.fill(1, runs.start[run], runs.end[run])
  }
  return mask
}
