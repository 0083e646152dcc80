import { InputError } from '../volume/errors.ts'
import type { Grid } from '../volume/grid.ts'
import type { Volume, VoxelArray } from '../volume/volume.ts'
import { niftiChunks, openNifti, readNiftiFile } from './nifti-file.ts'
import { writeNifti, writeNiftiPair } from './nifti-write.ts'
import { type VoxelType, voxelTypeOf } from './voxel-types.ts'

/** A volume whose voxels are read as they are needed. */
export interface VolumeStream {
  readonly grid: Grid
  readonly channels: number
  readonly scaling?: NonNullable<Volume['scaling']>
  readonly header?: unknown
  /** The type of the arrays that `chunks` yields. */
  readonly type: VoxelType
  /**
   * The voxels in file order (i fastest, then j, k, channel), in arrays that the caller may keep and change. May be
   * called once; reading to the end verifies the file and closes it, as does leaving the loop early.
   *
   * @throws InputError where the file is truncated or damaged, possibly after having yielded chunks
   */
  chunks(): AsyncIterable<VoxelArray>
  /** Closes a stream whose chunks are not wanted after all. */
  close(): Promise<void>
}

/**
 * Reads an image. The file's content decides how: NIfTI-1 and NIfTI-2 (`.nii`, `.nii.gz`, or either file of a
 * `.hdr`/`.img` pair).
 *
 * @throws InputError naming what is wrong with the file and what to do
 *
 * @example
 * const volume = await readVolume('liver.nii.gz')
 * console.log(volume.grid.shape, volume.grid.spacing)
 */
export async function readVolume(path: string): Promise<Volume> {
  return readNiftiFile(path)
}

/**
 * Opens an image for reading in chunks of about `chunkVoxels` voxels (default 2²⁰), so that memory does not depend on
 * the image's size.
 *
 * @throws InputError as `readVolume` does
 *
 * @example
 * const stream = await openVolume('probabilities.nii.gz')
 * let sum = 0
 * for await (const chunk of stream.chunks()) for (const value of chunk) sum += value
 */
export async function openVolume(path: string, chunkVoxels = 1 << 20): Promise<VolumeStream> {
  const opened = await openNifti(path)
  const { grid, channels, scaling, type } = opened.layout
  return {
    grid,
    channels,
    ...(scaling && { scaling }),
    header: opened.header,
    type: voxelTypeOf(type),
    chunks: () => niftiChunks(opened, chunkVoxels),
    close: () => opened.source.close(),
  }
}

/**
 * Writes an image in the format that its name asks for: `.nii`, `.nii.gz`, `.hdr` or `.img` (a pair). The file appears
 * only when it is complete. What a NIfTI source's header held is carried over (see `encodeNifti`). The same volume gives
 * the same bytes.
 *
 * @throws InputError where the name or its folder will not do, OutputError where the disk is full or fails
 *
 * @example
 * await writeVolume('mask.nii.gz', { ...volume, channels: 1, data: mask })
 */
export async function writeVolume(path: string, volume: Volume): Promise<void> {
  if (/\.nii(\.gz)?$/i.test(path)) return writeNifti(path, volume)
  if (/\.(hdr|img)(\.gz)?$/i.test(path)) return writeNiftiPair(path, volume)
  throw new InputError(path, 'has a name that asks for no known format; end it with .nii.gz, .nii or .hdr')
}
