import { boxOfMasks } from '../volume/box.ts'
import { checkShapeAndSpacing, checkVoxels } from '../volume/checks.ts'
import { InputError } from '../volume/errors.ts'
import type { Vec3 } from '../volume/grid.ts'
import type { VoxelArray } from '../volume/volume.ts'
import { type BitGrid, bitsOf } from './surface/bit-grid.ts'
import {
  type DistanceDistribution,
  distributionOf,
  quantileByRank,
  quantileByWeight,
  weightedSum,
  weightWithin,
} from './surface/distance-distribution.ts'
import { nearestDistances } from './surface/nearest.ts'
import { elementSurface, type Surface, voxelSurface } from './surface/surfaces.ts'

/** Distances between the surfaces of two masks, in mm; null where a mask is empty. */
export interface SurfaceDistances {
  /** The larger of the two directed 95th percentiles. */
  readonly hd95Mm: number | null
  /** The average symmetric surface distance: the mean over both surfaces together. */
  readonly assdMm: number | null
  /** The Hausdorff distance: the largest distance. */
  readonly hdMm: number | null
  /**
   * Normalised surface Dice (Nikolov et al., 2018), by tolerance in mm: the share of both surfaces together that lies
   * within the tolerance of the other one. 1 where both masks are empty, 0 where one is.
   */
  readonly nsd: Readonly<Record<string, number>>
}

/** What a surface is: voxels, as MONAI has it, or elements weighted by area, as google-deepmind/surface-distance. */
export type DistanceConvention = 'voxel' | 'area'

/** Options of `surfaceDistances`. */
export interface SurfaceOptions {
  /** Default `voxel`; see `surfaceDistances`. */
  readonly distances?: DistanceConvention | undefined
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
 * Distances between the surfaces of two masks on an anisotropic grid. What is not 0 is inside; beyond the image's edge
 * all is outside. Where either mask is empty there is no distance: these are null. There are two conventions:
 *
 * `voxel`, that of MONAI: the surface is the set of the mask's voxels with a background voxel among their 6 neighbours
 * (4 in 2-D; axes of one voxel do not count), scipy's `mask & ~binary_erosion(mask)`. Distances run between voxel
 * centres, and all voxels count alike. The 95th percentile interpolates linearly between ranks (numpy's default).
 *
 * `area`, that of google-deepmind/surface-distance: the surface is made of elements, which lie at the corners between
 * voxels that are not all inside or all outside. Distances run between corners. An element counts by the area of the
 * surface that marching cubes draws there, in 2-D by its length. The 95th percentile is the least distance within which
 * 95 % of the area lies.
 *
 * In both, HD95 is the larger of the two directed percentiles. Distances are exact: the nearest point is found by a
 * search, or by the distance transform of Felzenszwalb & Huttenlocher (2012) where surfaces lie far apart.
 *
 * @throws InputError where a mask has not as many voxels as the grid, or an option cannot be.
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
    : surfaceDistancesInBox(bitsOf(a, grid.shape, box), bitsOf(b, grid.shape, box), grid, options)
}

/** Throws an InputError unless surfaces can be compared like this. */
export function checkSurfaceOptions({ tolerancesMm = [], distances = 'voxel' }: SurfaceOptions): void {
  if (distances !== 'voxel' && distances !== 'area') {
    throw new InputError('distances', `is ${String(distances)}; give voxel or area`)
  }
  const wrong = tolerancesMm.find((mm) => !(mm >= 0 && mm < Number.POSITIVE_INFINITY))
  if (wrong !== undefined) throw new InputError('tolerance', `is ${wrong} mm; give a number from 0`)
}

/** What there is to say where a mask is empty: the normalised surface Dice only. */
export function withoutSurface(nsd: number, { tolerancesMm = defaultTolerancesMm }: SurfaceOptions): SurfaceDistances {
  return { hd95Mm: null, assdMm: null, hdMm: null, nsd: Object.fromEntries(tolerancesMm.map((mm) => [mm, nsd])) }
}

/** The same for masks that are cut to a box which contains both. */
export function surfaceDistancesInBox(
  a: BitGrid,
  b: BitGrid,
  grid: GridSize,
  options: SurfaceOptions,
): SurfaceDistances {
  const { tolerancesMm = defaultTolerancesMm, distances = 'voxel' } = options
  const surfaceOf = (mask: BitGrid): Surface =>
    distances === 'area' ? elementSurface(mask, grid.shape, grid.spacing) : voxelSurface(mask, grid.shape)
  const [surfaceA, surfaceB] = [surfaceOf(a), surfaceOf(b)]
  if (surfaceA.weights.length === 0 || surfaceB.weights.length === 0) return withoutSurface(0, options)
  const directed = (from: Surface, to: Surface) =>
    distributionOf(nearestDistances(from.points, to.points, grid.spacing), from.weights)
  const both = [directed(surfaceA, surfaceB), directed(surfaceB, surfaceA)]
  const percentile = distances === 'area' ? quantileByWeight : quantileByRank
  const total = both[0].total + both[1].total
  const sum = (of: (each: DistanceDistribution) => number) => of(both[0]) + of(both[1])
  return {
    hd95Mm: Math.max(...both.map((each) => percentile(each, 0.95))),
    assdMm: sum(weightedSum) / total,
    hdMm: Math.max(...both.map((each) => each.distances[each.distances.length - 1])),
    nsd: Object.fromEntries(tolerancesMm.map((mm) => [mm, sum((each) => weightWithin(each, mm)) / total])),
  }
}
