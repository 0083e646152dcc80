import { type Grid, gridDifference, type Vec3, vec3, voxelCount, worldPosition } from './grid.ts'
import type { Volume, VoxelArray } from './volume.ts'

/**
 * Two volumes on one grid, where they have the same voxels and a volume that is `emptyOutside` only lacks some: it gets
 * the other's (or both get all that either has), as background. Else the volumes as they are.
 *
 * @example
 * const [mask, image] = onOneGrid(segmentation, picture) // mask.grid is picture.grid where it lies within it
 */
export function onOneGrid(a: Volume, b: Volume): readonly [Volume, Volume] {
  if (!(a.emptyOutside || b.emptyOutside) || gridDifference(a.grid, b.grid) === undefined) return [a, b]
  const offset = offsetIn(a.grid, b.grid)
  if (offset === undefined) return [a, b]
  const low = vec3((axis) => Math.min(0, offset[axis]))
  const high = vec3((axis) => Math.max(a.grid.shape[axis], offset[axis] + b.grid.shape[axis]))
  const grid = { ...a.grid, shape: vec3((axis) => high[axis] - low[axis]), origin: worldPosition(a.grid, low) }
  const onGrid = (volume: Volume, at: Vec3): Volume | undefined => {
    if (at.every((n, axis) => n === 0 && volume.grid.shape[axis] === grid.shape[axis])) return volume
    return volume.emptyOutside ? placed(volume, grid, at) : undefined
  }
  const [wideA, wideB] = [
    onGrid(
      a,
      vec3((axis) => -low[axis]),
    ),
    onGrid(
      b,
      vec3((axis) => offset[axis] - low[axis]),
    ),
  ]
  return wideA && wideB ? [wideA, wideB] : [a, b]
}

/** The volume on the grid, where it lies within it and only lacks background; else the volume as it is. */
export function onGrid(volume: Volume, grid: Grid): Volume {
  const [wide] = onOneGrid(volume, { grid, channels: 0, data: new Uint8Array(0) })
  return gridDifference(wide.grid, grid) === undefined ? wide : volume
}

/** A displacement of more than five standard deviations: less than one voxel in a million. */
const farthestSigma = 5

/**
 * The volume with background slices on both sides, where it is `emptyOutside`: as many as noise of standard deviation
 * `sigmaMm` (along k), and outlines that are moved by up to `outwardsMm`, may take an object into.
 */
export function withRoomFor(sigmaMm: number, volume: Volume, outwardsMm = 0): Volume {
  const slices = Math.ceil((farthestSigma * sigmaMm + outwardsMm) / volume.grid.spacing[2])
  if (!volume.emptyOutside || slices === 0) return volume
  const [nx, ny, nz] = volume.grid.shape
  const grid: Grid = {
    ...volume.grid,
    shape: [nx, ny, nz + 2 * slices],
    origin: worldPosition(volume.grid, [0, 0, -slices]),
  }
  return placed(volume, grid, [0, 0, slices])
}

/** Which voxel of grid `a` is the first of `b`, where the voxels of both coincide. */
function offsetIn(a: Grid, b: Grid): Vec3 | undefined {
  const [x, y, z] = vec3((axis) => b.origin[axis] - a.origin[axis])
  const [u, v, w] = [0, 1, 2].map((axis) => vec3((world) => a.direction[3 * world + axis] * a.spacing[axis]))
  // Cramer's rule for x·u + y·v + z·w = the distance of the origins.
  const volume = determinant(u, v, w)
  const d: Vec3 = [x, y, z]
  const at = [determinant(d, v, w), determinant(u, d, w), determinant(u, v, d)].map((part) => Math.round(part / volume))
  const offset: Vec3 = [at[0] + 0, at[1] + 0, at[2] + 0] // "+ 0" turns −0 into 0
  const part = { ...a, shape: b.shape, origin: worldPosition(a, offset) }
  return gridDifference(part, b) === undefined ? offset : undefined
}

function determinant([a, b, c]: Vec3, [d, e, f]: Vec3, [g, h, i]: Vec3): number {
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
}

/** The volume on a larger grid, its first voxel at `at`; the rest holds 0. */
function placed(volume: Volume, grid: Grid, at: Vec3): Volume {
  const [nx, ny, nz] = volume.grid.shape
  const size = voxelCount(grid)
  const data = new (volume.data.constructor as new (length: number) => VoxelArray)(size * volume.channels)
  for (let channel = 0, from = 0; channel < volume.channels; channel++) {
    for (let k = 0; k < nz; k++) {
      for (let j = 0; j < ny; j++, from += nx) {
        const to = ((at[2] + k) * grid.shape[1] + at[1] + j) * grid.shape[0] + at[0]
        data.set(volume.data.subarray(from, from + nx), channel * size + to)
      }
    }
  }
  return { ...volume, grid, data }
}
