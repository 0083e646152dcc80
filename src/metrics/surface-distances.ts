import { type Box, boxOfMasks, cropEqual } from '../volume/box.ts'
import { checkShapeAndSpacing, checkVoxels } from '../volume/checks.ts'
import { InputError } from '../volume/errors.ts'
import type { Vec3 } from '../volume/grid.ts'
import type { VoxelArray } from '../volume/volume.ts'
import { distancesToFeatures } from './feature-distance.ts'
import { quantile } from './statistics/quantile.ts'

/** Distances between the surfaces of two masks, in mm; null where a mask is empty. */
export interface SurfaceDistances {
  /** The larger of the two directed 95th percentiles. */
  readonly hd95Mm: number | null
  /** The average symmetric surface distance: the mean over the surface voxels of both masks together. */
  readonly assdMm: number | null
  /** The Hausdorff distance: the largest distance. */
  readonly hdMm: number | null
  /**
   * Normalised surface Dice (Nikolov et al., 2018), by tolerance in mm: the share of both surfaces together that lies
   * within the tolerance of the other one. 1 where both masks are empty, 0 where one is.
   */
  readonly nsd: Readonly<Record<string, number>>
}

/** Options of `surfaceDistances`. */
export interface SurfaceOptions {
  /** Tolerances of the normalised surface Dice, in mm; default 1 and 3. */
  readonly tolerancesMm?: readonly number[] | undefined
}

/** 1 mm as FLARE has it, 3 mm as the papers on TotalSegmentator and on contours for radiotherapy. */
const defaultTolerancesMm: readonly number[] = [1, 3]

/** Shape and spacing of a grid; a `Grid` will do. */
export interface GridSize {
  readonly shape: Vec3
  /** In mm. */
  readonly spacing: Vec3
}

/**
 * Distances between the surfaces of two masks on an anisotropic grid. What is not 0 is inside.
 *
 * Conventions, which differ between tools: the surface is the set of the mask's voxels with a background voxel among
 * their 6 neighbours (4 in 2-D; axes of one voxel do not count), where beyond the image's edge is background, as
 * scipy's `mask & ~binary_erosion(mask)` has it. Distances run between voxel centres, from each surface voxel of one
 * mask to the nearest of the other. The 95th percentile interpolates linearly between ranks (numpy's default), and HD95
 * is the larger of the two directed percentiles. Where either mask is empty there is no distance: these are null.
 *
 * Exact: the distance transform of Felzenszwalb & Huttenlocher (2012), on the box around both masks, with whole offsets
 * kept in place of rounded distances.
 *
 * @throws InputError where a mask has not as many voxels as the grid, or a tolerance is negative.
 * @example
 * const grid = createGrid([3, 3, 1], [1, 2, 1])
 * const [a, b] = [[1, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0, 0, 0]].map((mask) => Uint8Array.from(mask))
 * surfaceDistances(a, b, grid).hd95Mm // 2
 * surfaceDistances(a, b, grid, { tolerancesMm: [1, 2.5] }).nsd // { '1': 0, '2.5': 1 }
 */
export function surfaceDistances(
  a: VoxelArray,
  b: VoxelArray,
  grid: GridSize,
  options: SurfaceOptions = {},
): SurfaceDistances {
  checkShapeAndSpacing(grid)
  checkSurfaceOptions(options)
  const voxels = grid.shape[0] * grid.shape[1] * grid.shape[2]
  checkVoxels(a, 'first mask', voxels)
  checkVoxels(b, 'second mask', voxels)
  const box = boxOfMasks(a, b, grid.shape)
  return box === undefined
    ? withoutSurface(1, options)
    : surfaceDistancesInBox(cropEqual(a, grid.shape, box), cropEqual(b, grid.shape, box), box, grid, options)
}

/** Throws an InputError unless all tolerances can be. */
export function checkSurfaceOptions({ tolerancesMm = [] }: SurfaceOptions): void {
  const wrong = tolerancesMm.find((mm) => !(mm >= 0 && mm < Number.POSITIVE_INFINITY))
  if (wrong !== undefined) throw new InputError('tolerance', `is ${wrong} mm; give a number from 0`)
}

/** What there is to say where a mask is empty: the normalised surface Dice only. */
export function withoutSurface(nsd: number, { tolerancesMm = defaultTolerancesMm }: SurfaceOptions): SurfaceDistances {
  return { hd95Mm: null, assdMm: null, hdMm: null, nsd: Object.fromEntries(tolerancesMm.map((mm) => [mm, nsd])) }
}

/** The same for masks (0 and 1) already cropped to a box that contains both. */
export function surfaceDistancesInBox(
  a: Uint8Array,
  b: Uint8Array,
  box: Box,
  grid: GridSize,
  options: SurfaceOptions,
): SurfaceDistances {
  const surfaceA = surfaceOf(a, box.shape, grid.shape)
  const surfaceB = surfaceOf(b, box.shape, grid.shape)
  const size = { shape: box.shape, spacing: grid.spacing }
  const toB = distancesToFeatures(surfaceA, surfaceB, size).sort()
  const toA = distancesToFeatures(surfaceB, surfaceA, size).sort()
  if (toA.length === 0 || toB.length === 0) return withoutSurface(0, options)
  const sum = (distances: Float64Array) => distances.reduce((x, y) => x + y, 0)
  return {
    hd95Mm: Math.max(quantile(toA, 0.95), quantile(toB, 0.95)),
    assdMm: (sum(toA) + sum(toB)) / (toA.length + toB.length),
    hdMm: Math.max(toA[toA.length - 1], toB[toB.length - 1]),
    nsd: Object.fromEntries(
      (options.tolerancesMm ?? defaultTolerancesMm).map((mm) => {
        const within = (distances: Float64Array) => distances.filter((distance) => distance <= mm).length
        return [mm, (within(toA) + within(toB)) / (toA.length + toB.length)]
      }),
    ),
  }
}

/**
 * Voxels with a background neighbour. Beyond the box all is background, for it holds the masks; axes of one voxel are
 * flat.
 */
function surfaceOf(mask: Uint8Array, [nx, ny, nz]: Vec3, imageShape: Vec3): Uint8Array {
  const surface = new Uint8Array(mask.length)
  const [flatX, flatY, flatZ] = imageShape.map((n) => n === 1)
  const rowLength = nx
  const sliceLength = nx * ny
  let v = 0
  for (let k = 0; k < nz; k++) {
    const edgeZ = !flatZ && (k === 0 || k === nz - 1)
    for (let j = 0; j < ny; j++) {
      const edgeYZ = edgeZ || (!flatY && (j === 0 || j === ny - 1))
      for (let i = 0; i < nx; i++, v++) {
        if (mask[v] === 0) continue
        const inner =
          !edgeYZ &&
          (flatX || (i > 0 && i < nx - 1 && mask[v - 1] & mask[v + 1])) &&
          (flatY || mask[v - rowLength] & mask[v + rowLength]) &&
          (flatZ || mask[v - sliceLength] & mask[v + sliceLength])
        if (!inner) surface[v] = 1
      }
    }
  }
  return surface
}
