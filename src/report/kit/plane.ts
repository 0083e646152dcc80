import type { Grid } from '../../volume/grid.ts'

export type View = 'axial' | 'coronal' | 'sagittal'

/** A slice of a grid and how it lies on the screen. */
export interface Plane {
  /** The voxel axis that the slice is perpendicular to, and the slice's index on it. */
  readonly axis: 0 | 1 | 2
  readonly index: number
  /** Voxel axes along the screen's rows and columns; true where the index falls to the right or downwards. */
  readonly across: { readonly axis: 0 | 1 | 2; readonly flip: boolean }
  readonly down: { readonly axis: 0 | 1 | 2; readonly flip: boolean }
  /** Voxels shown: first and one past the last, along `across` and `down` in index order. */
  readonly acrossRange: readonly [number, number]
  readonly downRange: readonly [number, number]
}

/**
 * Slice `index` of a grid as radiologists look at it: the patient's right on the left, front or head up (sagittal:
 * front on the left). Voxel axes are matched to the nearest world axes by the grid's direction, so an oblique grid is
 * shown in its own planes.
 *
 * @example
 * viewPlane(createGrid([4, 3, 2]), 'axial', 1).index // 1
 */
export function viewPlane(grid: Grid, view: View, index: number): Plane {
  const world = nearestWorldAxes(grid)
  const [normal, right, up] = ({ axial: [2, 0, 1], coronal: [1, 0, 2], sagittal: [0, 1, 2] } as const)[view]
  // World +x is the patient's right and +y the front: both go to the left of the screen; +y and +z go up.
  const across = world.indexOf(right) as 0 | 1 | 2
  const down = world.indexOf(up) as 0 | 1 | 2
  const runs = (voxelAxis: number): number => grid.direction[world[voxelAxis] * 3 + voxelAxis]
  return {
    axis: world.indexOf(normal) as 0 | 1 | 2,
    index,
    across: { axis: across, flip: runs(across) > 0 },
    down: { axis: down, flip: runs(down) > 0 },
    acrossRange: [0, grid.shape[across]],
    downRange: [0, grid.shape[down]],
  }
}

/**
 * The view with the most voxels in its slices' plane: axial for a stack of axial slices. A 2-D image has only one.
 *
 * @example
 * acquisitionView(createGrid([40, 40, 10], [1, 1, 5])) // 'axial'
 */
export function acquisitionView(grid: Grid): View {
  const world = nearestWorldAxes(grid)
  const { spacing, shape } = grid
  if (shape.includes(1)) return (['sagittal', 'coronal', 'axial'] as const)[world[shape.indexOf(1)]]
  const coarsest = spacing.indexOf(Math.max(...spacing))
  const isotropic = spacing[coarsest] < 1.2 * Math.min(...spacing)
  return isotropic ? 'axial' : (['sagittal', 'coronal', 'axial'] as const)[world[coarsest]]
}

/**
 * The plane with the most voxels for which `inside` holds; the middle one where there is none. Ties: the middle of
 * them.
 *
 * @example
 * const labels = Uint8Array.of(0, 0, 0, 1, 1, 1, 1, 0)
 * largestSlice(createGrid([2, 2, 2]), 'axial', (at) => labels[at] === 1).index // 1
 */
export function largestSlice(grid: Grid, view: View, inside: (at: number) => boolean): Plane {
  const middle = viewPlane(grid, view, 0)
  const { axis } = middle
  const [nx, ny, nz] = grid.shape
  const counts = new Float64Array(grid.shape[axis])
  for (let k = 0, at = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++, at++) if (inside(at)) counts[axis === 0 ? i : axis === 1 ? j : k]++
    }
  }
  const most = Math.max(...counts)
  const best = [...counts.keys()].filter((s) => counts[s] === most)
  return { ...middle, index: best[best.length >> 1] }
}

/**
 * The plane cropped to the voxels for which `inside` holds, and `marginMm` around them.
 *
 * @example
 * const grid = createGrid([9, 9, 1])
 * cropPlane(grid, viewPlane(grid, 'axial', 0), (at) => at === 40, 1).acrossRange // [3, 6]
 */
export function cropPlane(grid: Grid, plane: Plane, inside: (at: number) => boolean, marginMm: number): Plane {
  const { across, down } = plane
  const box = [grid.shape[across.axis], -1, grid.shape[down.axis], -1]
  forEachPixel(grid, plane, (at, u, v) => {
    if (!inside(at)) return
    box[0] = Math.min(box[0], u)
    box[1] = Math.max(box[1], u)
    box[2] = Math.min(box[2], v)
    box[3] = Math.max(box[3], v)
  })
  if (box[1] < 0) return plane
  const range = (low: number, high: number, axis: 0 | 1 | 2): [number, number] => {
    const margin = Math.ceil(marginMm / grid.spacing[axis])
    return [Math.max(0, low - margin), Math.min(grid.shape[axis], high + margin + 1)]
  }
  return { ...plane, acrossRange: range(box[0], box[1], across.axis), downRange: range(box[2], box[3], down.axis) }
}

/** Pixels of the plane as the screen has them, rows from the top. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly values: Float32Array
}

/** `value(at)` for each voxel of the plane. */
export function planePixels(grid: Grid, plane: Plane, value: (at: number) => number): Pixels {
  const width = plane.acrossRange[1] - plane.acrossRange[0]
  const height = plane.downRange[1] - plane.downRange[0]
  const values = new Float32Array(width * height)
  forEachPixel(grid, plane, (at, u, v) => {
    const column = plane.across.flip ? plane.acrossRange[1] - 1 - u : u - plane.acrossRange[0]
    const row = plane.down.flip ? plane.downRange[1] - 1 - v : v - plane.downRange[0]
    values[row * width + column] = value(at)
  })
  return { width, height, values }
}

function forEachPixel(grid: Grid, plane: Plane, visit: (at: number, u: number, v: number) => void): void {
  const stride = [1, grid.shape[0], grid.shape[0] * grid.shape[1]]
  for (let v = plane.downRange[0]; v < plane.downRange[1]; v++) {
    for (let u = plane.acrossRange[0]; u < plane.acrossRange[1]; u++) {
      visit(plane.index * stride[plane.axis] + u * stride[plane.across.axis] + v * stride[plane.down.axis], u, v)
    }
  }
}

/** For each voxel axis the world axis that it runs along most nearly, each world axis taken once. */
function nearestWorldAxes({ direction: d }: Grid): [number, number, number] {
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as const
  const match = (order: readonly number[]): number =>
    order.reduce((sum, world, voxel) => sum + Math.abs(d[world * 3 + voxel]), 0)
  const best = orders.reduce((a, b) => (match(b) > match(a) ? b : a))
  return [...best]
}
