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

/** A number for each axis: `vec3((axis) => 2 * spacing[axis])`. */
export function vec3(of: (axis: number) => number): Vec3 {
  return [of(0), of(1), of(2)]
}

/**
 * The axis-aligned grid whose voxel (0, 0, 0) has its centre at the world's origin. Functions that take a grid check
 * it.
 *
 * @param shape voxels along i, j, k; a 2-D image has shape [nx, ny, 1]
 * @param spacing distance of voxel centres along i, j, k, in mm; default 1 mm
 * @example
 * createGrid([4, 3, 1], [0.5, 0.5, 2]).spacing // [0.5, 0.5, 2]
 */
export function createGrid(shape: Vec3, spacing: Vec3 = [1, 1, 1]): Grid {
  return { shape, spacing, origin: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] }
}

/**
 * Number of voxels of one channel.
 *
 * @example
 * voxelCount(createGrid([4, 3, 2])) // 24
 */
export function voxelCount(grid: Grid): number {
  return grid.shape[0] * grid.shape[1] * grid.shape[2]
}

/**
 * Volume of one voxel, in mm³ (1 ml = 1000 mm³). For a 2-D image the third spacing counts as given.
 *
 * @example
 * voxelVolumeMm3(createGrid([4, 3, 2], [1, 1, 2.5])) // 2.5
 */
export function voxelVolumeMm3(grid: Grid): number {
  return grid.spacing[0] * grid.spacing[1] * grid.spacing[2]
}

/**
 * What keeps two grids from being the same, in words, or undefined if they agree: equal shapes, and every corner voxel
 * within `toleranceVoxels` (default 0.01) of the other's, so that float32 round-off in an affine is no difference.
 *
 * @param toleranceVoxels in units of the smallest spacing of `a`
 * @returns words such as `voxel (0, 0, 0) lies 2.00 mm apart`
 * @example
 * gridDifference(createGrid([4, 4, 1]), createGrid([4, 3, 1])) // 'shape 4×4×1 against 4×3×1'
 */
export function gridDifference(a: Grid, b: Grid, toleranceVoxels = 0.01): string | undefined {
  if (a.shape.some((n, axis) => n !== b.shape[axis])) {
    return `shape ${a.shape.join('×')} against ${b.shape.join('×')}`
  }
  const limitMm = toleranceVoxels * Math.min(...a.spacing)
  for (let corner = 0; corner < 8; corner++) {
    const voxel = vec3((axis) => (corner & (1 << axis) ? a.shape[axis] - 1 : 0))
    const p = worldPosition(a, voxel)
    const q = worldPosition(b, voxel)
    const distanceMm = Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2])
    if (!(distanceMm <= limitMm)) {
      return `voxel (${voxel.join(', ')}) lies ${distanceMm.toPrecision(3)} mm apart`
    }
  }
  return undefined
}

/** Far beyond any microscope and any scanner; what lies outside is a damaged header. Float32 holds all of it. */
const [MIN_SPACING_MM, MAX_SPACING_MM, MAX_ORIGIN_MM] = [1e-9, 1e9, 1e12]

/**
 * What makes a grid impossible, in words such as "spacing 1, 0, 1 mm", or undefined where it is sound: extents are
 * positive integers, spacing lies between 10⁻⁹ and 10⁹ mm, the origin within 10¹² mm, and the directions are unit
 * vectors that span space (they may be sheared).
 */
export function gridFault(grid: Grid): string | undefined {
  const { shape, spacing, origin, direction } = grid
  if (!shape.every((n) => Number.isSafeInteger(n) && n > 0) || !Number.isSafeInteger(voxelCount(grid) * 8)) {
    return `shape ${shape.join('×')}`
  }
  if (!spacing.every((mm) => mm >= MIN_SPACING_MM && mm <= MAX_SPACING_MM)) return `spacing ${spacing.join(', ')} mm`
  if (!origin.every((mm) => Math.abs(mm) <= MAX_ORIGIN_MM)) return `origin ${origin.join(', ')} mm`
  const lengths = [0, 1, 2].map((axis) => Math.hypot(direction[axis], direction[axis + 3], direction[axis + 6]))
  // Files write direction cosines with as few as four digits.
  if (!lengths.every((length) => Math.abs(length - 1) < 0.01)) return `directions ${direction.join(', ')}`
  // With columns of length 1 this is the volume of their parallelepiped, at most 1.
  if (!(Math.abs(determinant(direction)) > 1e-6)) return 'directions that map voxels onto a plane or a line'
  return undefined
}

/** The determinant of a 3×3 matrix. */
export function determinant(m: Mat3): number {
  return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6])
}

/**
 * The grid of an affine: the first three rows of a 4×4 matrix, row-major, from voxel indices to mm in RAS+. Spacing is
 * the length of its columns. A 2-D image may leave the column of an axis of one voxel empty: it becomes a perpendicular
 * of length 1. Whether the result is sound is `gridFault`'s question.
 */
export function gridOfAffine(affine: readonly number[], shape: Vec3): Grid {
  const columns = [0, 1, 2].map((axis) => [affine[axis], affine[axis + 4], affine[axis + 8]])
  const spacing = columns.map((column) => Math.hypot(...column))
  const empty = spacing.findIndex((length, axis) => length === 0 && shape[axis] === 1)
  if (empty >= 0) {
    const [u, v] = [columns[(empty + 1) % 3], columns[(empty + 2) % 3]]
    const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
    const length = Math.hypot(...normal)
    columns[empty] = normal.map((value) => value / length)
    spacing[empty] = 1
  }
  const unit = columns.map((column, axis) => column.map((value) => value / spacing[axis]))
  return {
    shape,
    spacing: [spacing[0], spacing[1], spacing[2]],
    origin: [affine[3], affine[7], affine[11]],
    // "+ 0" turns −0 into 0.
    direction: [0, 1, 2].flatMap((row) => unit.map((column) => column[row] + 0)) as unknown as Mat3,
  }
}

/**
 * World coordinates of a voxel index: mm in RAS+, that is to the patient's right, front and head, as in NIfTI.
 *
 * @param voxel (i, j, k) from 0, at voxel centres; may be fractional
 * @example
 * worldPosition(createGrid([4, 3, 2], [1, 1, 2.5]), [2, 0, 1]) // [2, 0, 2.5]
 */
export function worldPosition({ spacing, origin, direction: d }: Grid, voxel: Vec3): Vec3 {
  const [x, y, z] = [voxel[0] * spacing[0], voxel[1] * spacing[1], voxel[2] * spacing[2]]
  return [
    origin[0] + d[0] * x + d[1] * y + d[2] * z,
    origin[1] + d[3] * x + d[4] * y + d[5] * z,
    origin[2] + d[6] * x + d[7] * y + d[8] * z,
  ]
}

/**
 * The voxel index at world coordinates: the inverse of `worldPosition`.
 *
 * @returns a function of the world position (mm in RAS+) that gives a fractional (i, j, k), wherever it lies
 */
export function voxelAt({ spacing, origin, direction: d }: Grid): (world: Vec3) => Vec3 {
  const columns = [0, 1, 2].map((axis) => [0, 1, 2].map((row) => d[3 * row + axis] * spacing[axis]))
  const cross = ([a, b, c]: number[], [e, f, g]: number[]) => [b * g - c * f, c * e - a * g, a * f - b * e]
  const dot = (a: readonly number[], b: readonly number[]) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
  const [u, v, w] = columns
  const volume = dot(u, cross(v, w))
  // The rows of the inverse matrix (Cramer's rule).
  const rows = [cross(v, w), cross(w, u), cross(u, v)].map((row) => row.map((x) => x / volume))
  return (world) => {
    const from = world.map((x, axis) => x - origin[axis])
    return vec3((axis) => dot(rows[axis], from))
  }
}
