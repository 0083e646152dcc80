import type { Grid, Vec3 } from './grid.ts'
import type { LabelArray } from './labels.ts'
import { constantRange } from './runs.ts'
import type { VoxelArray } from './volume.ts'

/** An axis-aligned part of a grid, in voxels. */
export interface Box {
  readonly start: Vec3
  readonly shape: Vec3
}

/** The smallest box outside which every voxel holds `outside`; undefined if there is no other value. */
export function boxOf(values: LabelArray, shape: Vec3, outside: number): Box | undefined {
  return boundingBox(values, shape, outside, undefined)
}

/** The bounding box of one label; undefined if it does not occur. */
export function boxOfLabel(values: LabelArray, shape: Vec3, label: number): Box | undefined {
  // Planes and rows that hold the first voxel's label alone are passed over quickly: it is the background of most maps.
  return boundingBox(values, shape, values[0] === label ? undefined : values[0], label)
}

/**
 * The bounding box of the voxels that hold `label`, or, without one, anything but `outside`. Planes and rows of nothing
 * but `outside`, if given, are passed over.
 */
function boundingBox(
  values: LabelArray,
  [nx, ny, nz]: Vec3,
  outside: number | undefined,
  label: number | undefined,
): Box | undefined {
  const low = [nx, ny, nz]
  const high = [-1, -1, -1]
  const isOutside = outside === undefined ? () => false : constantRange(values, outside)
  const wanted = label === undefined ? outside : label
  const sought = label !== undefined
  for (let z = 0; z < nz; z++) {
    if (isOutside(z * ny * nx, (z + 1) * ny * nx)) continue
    for (let y = 0; y < ny; y++) {
      const row = (z * ny + y) * nx
      if (isOutside(row, row + nx)) continue
      let first = row
      while (first < row + nx && (values[first] === wanted) !== sought) first++
      if (first === row + nx) continue
      let last = row + nx - 1
      while ((values[last] === wanted) !== sought) last--
      low[0] = Math.min(low[0], first - row)
      high[0] = Math.max(high[0], last - row)
      low[1] = Math.min(low[1], y)
      high[1] = Math.max(high[1], y)
      low[2] = Math.min(low[2], z)
      high[2] = z
    }
  }
  return high[0] < 0 ? undefined : boxBetween(low, high)
}

/** The box grown by `margin` voxels per axis, within the grid. */
export function growBox({ start, shape }: Box, margin: Vec3, grid: Grid): Box {
  const low = start.map((s, axis) => Math.max(0, s - margin[axis]))
  const high = start.map((s, axis) => Math.min(grid.shape[axis], s + shape[axis] + margin[axis]) - 1)
  return boxBetween(low, high)
}

/** A box that grows with what is put in it. */
export class GrowingBox {
  readonly #low = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  readonly #high = [-1, -1, -1]

  /** Takes in the voxels i0 … i1 of row (j, k). */
  addRun(i0: number, i1: number, j: number, k: number): void {
    const low = this.#low
    const high = this.#high
    if (i0 < low[0]) low[0] = i0
    if (i1 > high[0]) high[0] = i1
    if (j < low[1]) low[1] = j
    if (j > high[1]) high[1] = j
    if (k < low[2]) low[2] = k
    if (k > high[2]) high[2] = k
  }

  /** The box, or undefined if nothing was put in. */
  box(): Box | undefined {
    return this.#high[0] < 0 ? undefined : boxBetween(this.#low, this.#high)
  }
}

/** The smallest box that holds all voxels of both masks that are not 0. */
export function boxOfMasks(a: VoxelArray, b: VoxelArray, imageShape: Vec3): Box | undefined {
  const [nx, ny, nz] = imageShape
  const box = new GrowingBox()
  for (let k = 0, row = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++, row += nx) {
      let first = 0
      while (first < nx && a[row + first] === 0 && b[row + first] === 0) first++
      if (first === nx) continue
      let last = nx - 1
      while (a[row + last] === 0 && b[row + last] === 0) last--
      box.addRun(first, last, j, k)
    }
  }
  return box.box()
}

/** The part of an image in a box as a mask: 1 where it equals `label`, or is not 0 if no label is given. */
export function cropEqual(image: VoxelArray, imageShape: Vec3, { start, shape }: Box, label?: number): Uint8Array {
  const [nx, ny, nz] = shape
  const mask = new Uint8Array(nx * ny * nz)
  let v = 0
  for (let k = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      const row = ((start[2] + k) * imageShape[1] + start[1] + j) * imageShape[0] + start[0]
      if (label === undefined) for (let i = 0; i < nx; i++) mask[v++] = image[row + i] !== 0 ? 1 : 0
      else for (let i = 0; i < nx; i++) mask[v++] = image[row + i] === label ? 1 : 0
    }
  }
  return mask
}

function boxBetween(low: readonly number[], high: readonly number[]): Box {
  return {
    start: [low[0], low[1], low[2]],
    shape: [high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1],
  }
}
