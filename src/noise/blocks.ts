import type { Vec3 } from '../volume/grid.ts'
import { blockSize } from './field.ts'

/** A displacement beyond this many σ is left out of account: probability 2·10⁻⁹ a voxel and axis. */
export const maxSigmas = 6

/** A block of voxels that a sample may change. */
export interface Block {
  /** First voxel, within the box. */
  readonly x: number
  /** If no component of the unit field exceeds this in the block, no label in it changes. −1: always to be evaluated. */
  readonly level: number
}

/** Per slab z (index z / 8), per row y (index y / 8): the blocks that a sample may change. */
export type BlockTable = readonly (readonly (readonly Block[])[])[]

/**
 * Sorts the blocks of a box by how large the displacement must be to change them, so that a sample costs what the
 * boundary band costs and the result is exact all the same.
 *
 * @param values labels of the box
 * @param sigmaVoxels σ of each axis in voxels
 */
export function blockTable(values: Uint8Array | Uint16Array, shape: Vec3, sigmaVoxels: Vec3): BlockTable {
  const changes = changeTable(values, shape)
  const starts = (axis: number) => Array.from({ length: Math.ceil(shape[axis] / blockSize) }, (_, b) => b * blockSize)
  return starts(2).map((z) =>
    starts(1).map((y) =>
      starts(0)
        .map((x) => ({ x, level: uniformLevel(changes, shape, [x, y, z], sigmaVoxels) }))
        .filter(({ level }) => level < maxSigmas),
    ),
  )
}

/** The largest multiple of ¼ up to maxSigmas at which everything the block can see is one label. */
function uniformLevel(changes: Int32Array, shape: Vec3, block: Vec3, sigmaVoxels: Vec3): number {
  const uniform = (level: number) => {
    const low: number[] = []
    const high: number[] = []
    for (let axis = 0; axis < 3; axis++) {
      // nearest(x + u) lies within floor(|u| + ½) voxels of x; beyond the grid it is clamped.
      const reach = Math.floor(level * sigmaVoxels[axis] * 1.00001 + 0.5)
      low.push(Math.max(0, block[axis] - reach))
      high.push(Math.min(shape[axis], block[axis] + blockSize + reach))
    }
    return changesIn(changes, shape, low, high) === 0
  }
  if (!uniform(0)) return -1
  let good = 0
  let bad = 4 * maxSigmas + 1
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (uniform(middle / 4)) good = middle
    else bad = middle
  }
  return good / 4
}

/**
 * Summed-area table of the voxels that differ from their lower neighbour along any axis, with a zero border. A box
 * without such voxels holds one label (the converse fails by one voxel at its lower faces: on the safe side).
 */
function changeTable(values: Uint8Array | Uint16Array, [nx, ny, nz]: Vec3): Int32Array {
  const row = nx + 1
  const plane = row * (ny + 1)
  const table = new Int32Array(plane * (nz + 1))
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const from = (z * ny + y) * nx
      const to = (z + 1) * plane + (y + 1) * row + 1
      let sum = 0
      const below = y > 0 ? from - nx : from
      const behind = z > 0 ? from - nx * ny : from
      let left = values[from]
      for (let x = 0; x < nx; x++) {
        const value = values[from + x]
        if (value !== left || value !== values[below + x] || value !== values[behind + x]) sum++
        left = value
        table[to + x] = sum + table[to + x - row] + table[to + x - plane] - table[to + x - row - plane]
      }
    }
  }
  return table
}

function changesIn(table: Int32Array, [nx, ny]: Vec3, low: readonly number[], high: readonly number[]): number {
  const row = nx + 1
  const plane = row * (ny + 1)
  const face = (z: number) =>
    table[z * plane + high[1] * row + high[0]] -
    table[z * plane + low[1] * row + high[0]] -
    table[z * plane + high[1] * row + low[0]] +
    table[z * plane + low[1] * row + low[0]]
  return face(high[2]) - face(low[2])
}
