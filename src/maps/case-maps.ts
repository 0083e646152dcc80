import { type Grid, type Vec3, voxelCount } from '../volume/grid.ts'
import type { Scaling } from '../volume/scaling.ts'
import type { VoxelArray } from '../volume/volume.ts'

/**
 * The probability maps of one case on a grid, wherever and however they are stored: in one file or one a class, whole
 * or cropped, in the grid's order of axes or another. `readMaps` reads them, as often as wanted.
 */
export interface CaseMaps {
  /** What the user named: for messages and results. */
  readonly input: string
  /** Name of the case: the file's name without its ending. */
  readonly name: string
  readonly grid: Grid
  /** The header to be carried over to masks (see `Volume.header`). */
  readonly header?: unknown
  /** False where nothing says where the voxels lie and how large they are: the grid then only counts them. */
  readonly hasGeometry: boolean
  /** Number of maps, one a class. */
  readonly channels: number
  /** Of each map that is stored, whether it is one of these; undefined where all are. */
  readonly taken?: readonly boolean[]
  /** What the maps are called, where their files say it. */
  readonly names?: readonly string[]
  /** For maps of regions, the label that each paints, where their files say it (nnU-Net's `regions_class_order`). */
  readonly regionsClassOrder?: readonly number[]
  /** The numbers of all maps, one after the other: in one file, or in one file a map. */
  readonly stored: readonly StoredNumbers[]
  readonly placement: Placement
  readonly numbers: NumberOptions
  /** What a user should know of how the case was understood, a sentence each. */
  readonly warnings: readonly string[]
}

/** How many maps the files of a case hold, whether all are taken or not. */
export function storedMaps({ channels, taken }: Pick<CaseMaps, 'channels' | 'taken'>): number {
  return taken?.length ?? channels
}

/** How stored numbers become probabilities. */
export interface NumberOptions {
  /** What stands for probability 1. */
  readonly scale?: number | undefined
  /** The numbers are logits: of one softmax over all maps, or of a sigmoid each. */
  readonly logits?: 'softmax' | 'sigmoid' | undefined
}

/**
 * Numbers in a file or in memory, with x the fastest, then y, z and the map; may be read from the start again and
 * again.
 */
export interface StoredNumbers {
  /** Names the file in errors. */
  readonly subject: string
  readonly scaling?: Scaling
  /**
   * The numbers in pieces of any length, which must not be changed.
   *
   * @param into as for `VolumeStream.chunks`
   */
  chunks(into?: Float32Array): AsyncIterable<VoxelArray>
}

/**
 * Where the voxels of a stored map lie in the grid: (i, j, k) at index `offset + i·strides[0] + j·strides[1] +
 * k·strides[2]`.
 */
export interface Placement {
  /** Extents of the stored map, its fastest axis first. */
  readonly shape: Vec3
  readonly strides: Vec3
  readonly offset: number
}

/** Maps that have the grid's order of axes and lie in it from voxel `start` on (default: maps that cover it). */
export function placedAt(grid: Grid, shape: Vec3 = grid.shape, start: Vec3 = [0, 0, 0]): Placement {
  const [nx, ny] = grid.shape
  return { shape, strides: [1, nx, nx * ny], offset: (start[2] * ny + start[1]) * nx + start[0] }
}

/** Whether the stored maps leave no voxel of the grid out. */
export function coversGrid({ placement: { shape }, grid }: Pick<CaseMaps, 'placement' | 'grid'>): boolean {
  return shape[0] * shape[1] * shape[2] === voxelCount(grid)
}
