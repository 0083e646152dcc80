import { InputError } from './errors.ts'
import type { Grid } from './grid.ts'
import { voxelCount } from './grid.ts'
import type { Scaling } from './scaling.ts'

/** The element types that voxels may have. 64-bit integers are read as float64 where they fit exactly. */
export type VoxelArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array

/**
 * Voxels on a grid. `data` is laid out with i fastest, then j, k and the channel: element
 * `((channel · nz + k) · ny + j) · nx + i`, as NIfTI and NRRD store it.
 */
export interface Volume<A extends VoxelArray = VoxelArray> {
  readonly grid: Grid
  /** Values per voxel: classes of a probability map, time points, modalities. 1 for a plain 3-D image. */
  readonly channels: number
  /** Stored numbers; `scaling` makes real values of them. */
  readonly data: A
  /** Absent means slope 1, intercept 0. */
  readonly scaling?: Scaling
  /** What the file calls its labels, by number; of several channels, what it calls them, in their order. */
  readonly labelNames?: ReadonlyMap<number, string>
  /** Set where the file stores the part of a larger grid that holds something: all else is background. */
  readonly emptyOutside?: boolean
  /** What the file held beside the grid (codes, units, description), so that it can be written back unchanged. */
  readonly header?: unknown
}

/**
 * One channel of a volume as a view on its memory (no copy).
 *
 * @throws InputError where the volume has no such channel, or not as many numbers as its grid and channels say
 * @example
 * const volume = { grid: createGrid([2, 1, 1]), channels: 2, data: Float32Array.of(0.9, 0.1, 0.2, 0.8) }
 * Array.from(channelOf(volume, 1), (p) => Math.round(10 * p)) // [2, 8]
 */
export function channelOf<A extends VoxelArray>(volume: Volume<A>, channel: number): A {
  checkVolume(volume)
  if (!(Number.isInteger(channel) && channel >= 0 && channel < volume.channels)) {
    throw new InputError('channel', `is ${channel}; the volume has channels 0 to ${volume.channels - 1}`)
  }
  const n = voxelCount(volume.grid)
  return volume.data.subarray(channel * n, (channel + 1) * n) as A
}

/** Throws an InputError unless the volume holds as many numbers as its grid and channels say. */
export function checkVolume({ grid, channels, data }: Volume, subject = 'volume'): void {
  const count = voxelCount(grid) * channels
  if (data.length !== count) {
    const shape = grid.shape.join('×')
    throw new InputError(subject, `has ${data.length} numbers for ${channels} × ${shape} voxels; give ${count}`)
  }
}
