import type { Vec3 } from '../volume/grid.ts'
import type { VoxelArray } from '../volume/volume.ts'

/** A box of voxels within an image. */
export interface Box {
  /** Its first voxel. */
  readonly start: Vec3
  readonly shape: Vec3
  /** The image's shape. */
  readonly imageShape: Vec3
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
  within(imageShape: Vec3): Box | undefined {
    const [low, high] = [this.#low, this.#high]
    if (high[0] < 0) return undefined
    const shape = [high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1] as const
    return { start: [low[0], low[1], low[2]], shape, imageShape }
  }
}

/** The smallest box that holds all voxels of both masks that are not 0. */
export function boxOf(a: VoxelArray, b: VoxelArray, imageShape: Vec3): Box | undefined {
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
  return box.within(imageShape)
}

/** The part of an image in a box as a mask: 1 where it equals `label`, or is not 0 if no label is given. */
export function cropEqual(image: VoxelArray, { start, shape, imageShape }: Box, label?: number): Uint8Array {
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
