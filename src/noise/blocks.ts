import type { Vec3 } from '../volume/grid.ts'

/** Voxels are treated in blocks of 8×8×8. */
export const blockSize = 8

/** A displacement beyond this many σ is left out of account: probability 2·10⁻⁹ a voxel and axis. */
export const maxSigmas = 6

/** A block of voxels that a sample may change. */
export interface Block {
  /** First voxel, within the box. */
  readonly x: number
  /**
   * If no component of the unit field exceeds this in the block, no label in it changes. −1: always to be evaluated.
   */
  readonly level: number
}

/** Per slab z (index z / 8), per row y (index y / 8): the blocks that a sample may change, x ascending. */
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

/** The table of all blocks of a box. */
export function allBlocks([nx, ny, nz]: Vec3): BlockTable {
  const row = Array.from({ length: Math.ceil(nx / blockSize) }, (_, b) => ({ x: b * blockSize, level: -1 }))
  const rows = Array.from({ length: Math.ceil(ny / blockSize) }, () => row)
  return Array.from({ length: Math.ceil(nz / blockSize) }, () => rows)
}

/** The largest multiple of ¼ up to maxSigmas at which everything the block can see is one label. */
function uniformLevel(changes: ChangeTable, shape: Vec3, block: Vec3, sigmaVoxels: Vec3): number {
  const uniform = (level: number) => {
    const low: number[] = []
    const high: number[] = []
    for (let axis = 0; axis < 3; axis++) {
      // nearest(x + u) lies within floor(|u| + ½) voxels of x; beyond the grid it is clamped.
      const reach = Math.floor(level * sigmaVoxels[axis] * 1.00001 + 0.5)
      low.push(Math.max(0, block[axis] - reach))
      high.push(Math.min(shape[axis], block[axis] + blockSize + reach))
    }
    return changesIn(changes, low, high) === 0
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

/** Changes are counted in cells of 2×2×2 voxels: an eighth of the memory for bounds that are a voxel wider at most. */
const cell = 2 // hence the shifts by one

/**
 * Summed-area table, with a zero border, of the cells that hold a voxel different from its lower neighbour along any
 * axis. A box without such cells holds one label (the converse may fail at its faces: on the safe side).
 */
function changeTable(values: Uint8Array | Uint16Array, [nx, ny, nz]: Vec3): ChangeTable {
  const row = Math.ceil(nx / cell) + 1
  const plane = row * (Math.ceil(ny / cell) + 1)
  const sums = new Int32Array(plane * (Math.ceil(nz / cell) + 1))
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const from = (z * ny + y) * nx
      const below = y > 0 ? nx : 0
      const behind = z > 0 ? nx * ny : 0
      const to = ((z >> 1) + 1) * plane + ((y >> 1) + 1) * row + 1
      let left = values[from]
      for (let x = 0; x < nx; x++) {
        const value = values[from + x]
        const changes = value !== left || value !== values[from + x - below] || value !== values[from + x - behind]
        if (changes) sums[to + (x >> 1)] = 1
        left = value
      }
    }
  }
  for (let k = plane; k < sums.length; k += plane) {
    for (let j = k + row; j < k + plane; j += row) {
      let sum = 0
      for (let i = j + 1; i < j + row; i++) {
        sum += sums[i]
        sums[i] = sum + sums[i - row] + sums[i - plane] - sums[i - row - plane]
      }
    }
  }
  return { sums, row, plane }
}

interface ChangeTable {
  readonly sums: Int32Array
  readonly row: number
  readonly plane: number
}

/** Changing cells that touch the voxels from `low` to before `high`. */
function changesIn({ sums, row, plane }: ChangeTable, low: readonly number[], high: readonly number[]): number {
  const x0 = low[0] >> 1
  const x1 = (high[0] + 1) >> 1
  const y0 = (low[1] >> 1) * row
  const y1 = ((high[1] + 1) >> 1) * row
  const face = (z: number) => sums[z + y1 + x1] - sums[z + y0 + x1] - sums[z + y1 + x0] + sums[z + y0 + x0]
  return face(((high[2] + 1) >> 1) * plane) - face((low[2] >> 1) * plane)
}
