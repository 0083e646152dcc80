import type { Grid, Vec3 } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'

/** An axis-aligned part of a grid, in voxels. */
export interface Box {
  readonly start: Vec3
  readonly shape: Vec3
}

/** The smallest box outside which every voxel holds `outside`; undefined if there is no other value. */
export function boxOf(values: LabelArray, shape: Vec3, outside: number): Box | undefined {
  const [nx, ny, nz] = shape
  const low = [nx, ny, nz]
  const high = [-1, -1, -1]
  const isConstant = constantRow(values, nx, outside)
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const row = (z * ny + y) * nx
      if (isConstant(row)) continue
      let first = row
      while (values[first] === outside) first++
      let last = row + nx - 1
      while (values[last] === outside) last--
      low[0] = Math.min(low[0], first - row)
      high[0] = Math.max(high[0], last - row)
      low[1] = Math.min(low[1], y)
      high[1] = Math.max(high[1], y)
      low[2] = Math.min(low[2], z)
      high[2] = z
    }
  }
  if (high[0] < 0) return undefined
  return boxBetween(low, high)
}

/** The box grown by `margin` voxels per axis, within the grid. */
export function growBox({ start, shape }: Box, margin: Vec3, grid: Grid): Box {
  const low = start.map((s, axis) => Math.max(0, s - margin[axis]))
  const high = start.map((s, axis) => Math.min(grid.shape[axis], s + shape[axis] + margin[axis]) - 1)
  return boxBetween(low, high)
}

function boxBetween(low: readonly number[], high: readonly number[]): Box {
  return {
    start: [low[0], low[1], low[2]],
    shape: [high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1],
  }
}

/** Whether the nx values from a position are all `outside`; bytes are compared four at a time. */
function constantRow(values: LabelArray, nx: number, outside: number): (row: number) => boolean {
  const slow = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (values[i] !== outside) return false
    return true
  }
  if (!(values instanceof Uint8Array) || values.byteOffset % 4 !== 0) return (row) => slow(row, row + nx)
  const words = new Int32Array(values.buffer, values.byteOffset, values.length >> 2)
  const pattern = (outside * 0x01010101) | 0
  return (row) => {
    const end = row + nx
    const firstWord = (row + 3) >> 2
    const lastWord = end >> 2
    for (let w = firstWord; w < lastWord; w++) if (words[w] !== pattern) return false
    return slow(row, Math.min(end, firstWord << 2)) && slow(Math.max(row, lastWord << 2), end)
  }
}
