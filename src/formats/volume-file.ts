import { InputError } from '../volume/errors.ts'
import type { Grid } from '../volume/grid.ts'
import type { Volume, VoxelArray } from '../volume/volume.ts'
import { imageFormat } from './image-format.ts'
import { niftiChunks, openNifti, readNiftiFile } from './nifti-file.ts'
import { niftiLabelNames } from './nifti-labels.ts'
import { writeNifti, writeNiftiPair } from './nifti-write.ts'
import { arrayType, type VoxelType, voxelTypeOf } from './voxel-types.ts'

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
   * @param into memory for voxels that are float32 in the file, which spares a copy: chunks are then parts of it, one
   *   after the other, and begin anew at its end. Other voxels come in memory of their own.
   * @throws InputError where the file is truncated or damaged, possibly after having yielded chunks
   */
  chunks(into?: Float32Array): AsyncIterable<VoxelArray>
  /** Closes a stream whose chunks are not wanted after all. */
  close(): Promise<void>
}

/**
 * Reads an image. The file's content decides how: NIfTI-1 and NIfTI-2 (`.nii`, `.nii.gz`, or either file of a
 * `.hdr`/`.img` pair), NRRD (`.nrrd`, `.nhdr`), MetaImage (`.mha`, `.mhd`), a DICOM file (image or segmentation) or
 * the folder of a DICOM series. Checksums are verified wherever the format has them. ITK, loaded when it is needed,
 * decodes compressed DICOM pixels.
 *
 * @throws InputError naming what is wrong with the file and what to do
 *
 * @example
 * const { grid, data } = await readVolume('liver.nii.gz')
 * grid.spacing // [1, 1, 1]
 * data // Uint8Array [0, 1, 1, 0]
 */
export async function readVolume(path: string): Promise<Volume> {
  const format = await imageFormat(path)
  if (format === 'nifti') return readNiftiFile(path)
  // What is rarer than NIfTI is loaded when it is met.
  if (format === 'nrrd') return (await import('./nrrd.ts')).readNrrd(path)
  if (format === 'meta') return (await import('./meta-image.ts')).readMetaImage(path)
  const dicom = await import('./dicom/read.ts')
  return format === 'series' ? dicom.readDicomFolder(path) : dicom.readDicomFile(path)
}

/**
 * Where an image lies, and the header that masks of it carry on; of DICOM without reading pixels.
 *
 * @throws InputError as `readVolume` does
 */
export async function readGeometry(path: string): Promise<Pick<Volume, 'grid' | 'header'>> {
  const format = await imageFormat(path)
  if (format === 'dicom' || format === 'series') {
    return (await import('./dicom/read.ts')).readDicomGeometry(path, format === 'series')
  }
  const { grid, header, close } = await openVolume(path)
  await close()
  return { grid, header }
}

/**
 * Opens an image for reading in chunks of about `chunkVoxels` voxels (default 2²⁰), so that memory does not depend on
 * the image's size. (Formats other than NIfTI are read whole first.)
 *
 * @throws InputError as `readVolume` does
 *
 * @example
 * const stream = await openVolume('probabilities.nii.gz')
 * let sum = 0
 * for await (const chunk of stream.chunks()) for (const value of chunk) sum += value
 * Math.round(10 * sum) // 19
 */
export async function openVolume(path: string, chunkVoxels = 1 << 20): Promise<VolumeStream> {
  if ((await imageFormat(path)) !== 'nifti') return streamOf(await readVolume(path), chunkVoxels)
  const opened = await openNifti(path)
  const { grid, channels, scaling, type } = opened.layout
  return {
    grid,
    channels,
    ...(scaling && { scaling }),
    header: opened.header,
    type: voxelTypeOf(type),
    chunks: (into) => niftiChunks(opened, chunkVoxels, into),
    close: () => opened.source.close(),
  }
}

/**
 * Writes an image in the format that its name asks for: `.nii`, `.nii.gz`, `.hdr` or `.img` (a pair), `.nrrd`, `.nhdr`,
 * `.mha` or `.mhd`; masks also as segments with names and colours (`labelNames`), in a `.seg.nrrd` of 3D Slicer, or, of
 * images that were read from DICOM, as a DICOM segmentation of these (`.dcm`). The file appears only when it is
 * complete. What a NIfTI source's header held is carried over into NIfTI (see `encodeNifti`), key/value pairs of NRRD
 * and MetaImage into those. The same volume gives the same bytes.
 *
 * @throws InputError where the name or its folder will not do, OutputError where the disk is full or fails
 * @example
 * const volume = await readVolume('liver.nii.gz')
 * await writeVolume('mask.nii.gz', { ...volume, data: volume.data.map((label) => Number(label === 1)) })
 */
export async function writeVolume(path: string, volume: Volume): Promise<void> {
  if (/\.nii(\.gz)?$/i.test(path)) return writeNifti(path, volume)
  if (/\.(hdr|img)(\.gz)?$/i.test(path)) return writeNiftiPair(path, volume)
  if (/\.(nrrd|nhdr)$/i.test(path)) return (await import('./nrrd.ts')).writeNrrd(path, volume)
  if (/\.(mha|mhd)$/i.test(path)) return (await import('./meta-image.ts')).writeMetaImage(path, volume)
  if (/\.dcm$/i.test(path)) return (await import('./dicom/write.ts')).writeSegmentation(path, volume)
  throw new InputError(path, 'has a name that asks for no known format; end it with .nii.gz, .nii, .nrrd or .mha')
}

/**
 * What an image calls its labels: the `labelNames` of `readVolume`, without reading voxels. DICOM segmentations and
 * `.seg.nrrd` have such names, and NIfTI files with the extension that TotalSegmentator writes.
 *
 * @throws InputError as `readVolume` does
 *
 * @example
 * const names = await readLabelNames('organs.dcm') // Map { 1 => 'Liver', 2 => 'Spleen' }
 */
export async function readLabelNames(path: string): Promise<ReadonlyMap<number, string> | undefined> {
  const format = await imageFormat(path)
  if (format === 'dicom') return (await import('./dicom/read.ts')).dicomLabelNames(path)
  if (format === 'nrrd') return (await import('./nrrd.ts')).nrrdLabelNames(path)
  if (format !== 'nifti') return undefined
  const { header, source } = await openNifti(path)
  await source.close()
  return niftiLabelNames(header)
}

/** The stream of a volume in memory. */
function streamOf(volume: Volume, chunkVoxels: number): VolumeStream {
  const { data, ...rest } = volume
  return {
    ...rest,
    type: arrayType(data),
    async *chunks() {
      for (let at = 0; at < data.length; at += chunkVoxels) yield data.slice(at, at + chunkVoxels)
    },
    async close() {},
  }
}
