import { type Box, boxOf } from './box.ts'
import type { Vec3 } from './grid.ts'
import type { LabelArray } from './labels.ts'

/**
 * Which voxels touch: those that share a face (6), a face or an edge (18), or a face, an edge or a corner (26). In a
 * 2-D image 6 means the 4 neighbours, 18 and 26 mean all 8.
 */
export type Connectivity = 6 | 18 | 26

/** The voxels of a mask as runs along i, in memory order, each with the component that it belongs to. */
export interface ComponentRuns {
  readonly count: number
  /** First voxel of each run, and the one behind its last, as positions in the image. */
  readonly start: Int32Array
  readonly end: Int32Array
  /** From 0, in the order of the components' first voxels. */
  readonly component: Int32Array
  /** Voxels of each component. */
  readonly sizes: readonly number[]
}

/** The components of the voxels that are not 0. */
export function componentRuns(mask: LabelArray, shape: Vec3, connectivity: Connectivity): ComponentRuns {
  const box = boxOf(mask, shape, 0)
  return box === undefined ? noRuns : join(runsInBox(mask, shape, box, true), shape, box, connectivity)
}

/** The components of the voxels of a box that are 0. */
export function backgroundRuns(mask: LabelArray, shape: Vec3, box: Box, connectivity: Connectivity): ComponentRuns {
  return join(runsInBox(mask, shape, box, false), shape, box, connectivity)
}

const noRuns: ComponentRuns = {
  count: 0,
  start: new Int32Array(),
  end: new Int32Array(),
  component: new Int32Array(),
  sizes: [],
}

interface Runs {
  readonly start: Int32Array
  readonly end: Int32Array
  /** The first run of each row of the box, and behind the last row the number of runs. */
  readonly firstOfRow: Int32Array
}

function runsInBox(mask: LabelArray, [nx, ny]: Vec3, { start: from, shape }: Box, inside: boolean): Runs {
  const firstOfRow = new Int32Array(shape[1] * shape[2] + 1)
  let start = new Int32Array(1024)
  let end = new Int32Array(1024)
  let count = 0
  for (let k = 0, row = 0; k < shape[2]; k++) {
    for (let j = 0; j < shape[1]; j++, row++) {
      firstOfRow[row] = count
      let v = ((from[2] + k) * ny + from[1] + j) * nx + from[0]
      const behind = v + shape[0]
      // A row holds at most one run for every two voxels.
      if (count + shape[0] > start.length) [start, end] = [twiceAsLong(start, shape[0]), twiceAsLong(end, shape[0])]
      while (v < behind) {
        while (v < behind && (mask[v] !== 0) !== inside) v++
        if (v === behind) break
        start[count] = v
        while (v < behind && (mask[v] !== 0) === inside) v++
        end[count++] = v
      }
    }
  }
  firstOfRow[firstOfRow.length - 1] = count
  return { start: start.subarray(0, count), end: end.subarray(0, count), firstOfRow }
}

function twiceAsLong(values: Int32Array<ArrayBuffer>, atLeast: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(2 * values.length + atLeast)
  longer.set(values)
  return longer
}

/** Unites runs that touch, row by row (union-find), and numbers what came together. */
function join(
  { start, end, firstOfRow }: Runs,
  [nx, ny]: Vec3,
  { shape }: Box,
  connectivity: Connectivity,
): ComponentRuns {
  const parent = Int32Array.from(start, (_, run) => run)
  const rootOf = (run: number): number => {
    let at = run
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]]
      at = parent[at]
    }
    return at
  }
  /** Unites the runs of a row with those of a row before it; `reach` is 1 where runs touch diagonally along i. */
  const unite = (row: number, before: number, apart: number, reach: number): void => {
    let other = firstOfRow[before]
    const otherEnd = firstOfRow[before + 1]
    for (let run = firstOfRow[row]; run < firstOfRow[row + 1]; run++) {
      // The same place along i, one row before.
      const low = start[run] - apart - reach
      const high = end[run] - apart + reach
      while (other < otherEnd && end[other] <= low) other++
      for (let each = other; each < otherEnd && start[each] < high; each++) {
        const [a, b] = [rootOf(run), rootOf(each)]
        // The earlier run leads, so that a component's leader is its first run.
        if (a < b) parent[b] = a
        else parent[a] = b
      }
    }
  }
  const face = connectivity === 6 ? 0 : 1
  const edge = connectivity === 26 ? 1 : 0
  for (let k = 0, row = 0; k < shape[2]; k++) {
    for (let j = 0; j < shape[1]; j++, row++) {
      if (j > 0) unite(row, row - 1, nx, face)
      if (k === 0) continue
      const below = row - shape[1]
      unite(row, below, nx * ny, face)
      if (connectivity === 6) continue
      if (j > 0) unite(row, below - 1, nx * ny + nx, edge)
      if (j < shape[1] - 1) unite(row, below + 1, nx * ny - nx, edge)
    }
  }
  const component = new Int32Array(start.length)
  const sizes: number[] = []
  for (let run = 0; run < start.length; run++) {
    const root = rootOf(run)
    if (root === run) component[run] = sizes.push(0) - 1
    else component[run] = component[root]
    sizes[component[run]] += end[run] - start[run]
  }
  return { count: start.length, start, end, component, sizes }
}
