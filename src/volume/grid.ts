/** Three numbers, one per voxel axis, the fastest-varying axis (i) first. */
export type Vec3 = readonly [number, number, number]

/** A 3×3 matrix in row-major order. */
export type Mat3 = readonly [number, number, number, number, number, number, number, number, number]

/**
 * Where voxels lie in space. Voxel (i, j, k) has its centre at `origin + direction · (spacing ∘ (i, j, k))`, in mm, in
 * NIfTI's RAS+ world. A 2-D image is a grid whose third extent is 1.
 */
export interface Grid {
  /** Voxels per axis; i is the fastest in memory. */
  readonly shape: Vec3
  /** Distance between voxel centres along each axis, in mm; positive. */
  readonly spacing: Vec3
  /** World position of the centre of voxel (0, 0, 0), in mm. */
  readonly origin: Vec3
  /** Columns are the world directions of the voxel axes (unit length; not always orthogonal: files may shear). */
  readonly direction: Mat3
}

/** The axis-aligned grid at the world's origin. */
export function createGrid(shape: Vec3, spacing: Vec3 = [1, 1, 1]): Grid {
  return { shape, spacing, origin: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] }
}

/** Number of voxels of one channel. */
export function voxelCount(grid: Grid): number {
  return grid.shape[0] * grid.shape[1] * grid.shape[2]
}

/** Volume of one voxel, in mm³ (1 ml = 1000 mm³). For a 2-D image the third spacing counts as given. */
export function voxelVolumeMm3(grid: Grid): number {
  return grid.spacing[0] * grid.spacing[1] * grid.spacing[2]
}

/**
 * What keeps two grids from being the same, in words, or undefined if they agree: equal shapes, and every corner voxel
 * within `toleranceVoxels` (default 0.01) of the other's, so that float32 round-off in an affine is no difference.
 */
export function gridDifference(a: Grid, b: Grid, toleranceVoxels = 0.01): string | undefined {
  if (a.shape.some((n, axis) => n !== b.shape[axis])) {
    return `shape ${a.shape.join('×')} against ${b.shape.join('×')}`
  }
  const limitMm = toleranceVoxels * Math.min(...a.spacing)
  for (let corner = 0; corner < 8; corner++) {
    const voxel = a.shape.map((n, axis) => (corner & (1 << axis) ? n - 1 : 0)) as unknown as Vec3
    const p = worldPosition(a, voxel)
    const q = worldPosition(b, voxel)
    const distanceMm = Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2])
    if (!(distanceMm <= limitMm)) {
      return `voxel (${voxel.join(', ')}) lies ${distanceMm.toPrecision(3)} mm apart`
    }
  }
  return undefined
}

/** World coordinates (mm, RAS+) of a voxel index, which may be fractional. */
export function worldPosition({ spacing, origin, direction: d }: Grid, voxel: Vec3): Vec3 {
  const [x, y, z] = [voxel[0] * spacing[0], voxel[1] * spacing[1], voxel[2] * spacing[2]]
  return [
    origin[0] + d[0] * x + d[1] * y + d[2] * z,
    origin[1] + d[3] * x + d[4] * y + d[5] * z,
    origin[2] + d[6] * x + d[7] * y + d[8] * z,
  ]
}
