import { stat } from 'node:fs/promises'
import { InputError } from '../volume/errors.ts'
import type { Volume, VoxelArray } from '../volume/volume.ts'
import { allocateBytes, type ByteSource, concatenate, drain, openByteSource, take } from './byte-source.ts'
import { inexactInteger, niftiVolume, requireBytes, requirePadding } from './nifti.ts'
import type { NiftiHeader } from './nifti-fields.ts'
import { headerBytes } from './nifti-fields.ts'
import { maxExtensionBytes, type NiftiLayout, niftiLayout, parseNiftiHeader } from './nifti-layout.ts'
import { bytesOf, nextPart, storedBytes, voxelsFromBytes } from './voxel-types.ts'

/** A NIfTI file whose header has been read and checked, and whose voxels come next. */
export interface OpenNifti {
  readonly header: NiftiHeader
  readonly layout: NiftiLayout
  /** The file that holds the voxels (the `.img` of a pair), for error messages. */
  readonly voxelPath: string
  /** Positioned at the first voxel. */
  readonly source: ByteSource
}

/** Reads a whole NIfTI image: `.nii`, or either file of a `.hdr`/`.img` pair, each possibly gzip-compressed. */
export async function readNiftiFile(path: string): Promise<Volume> {
  const { header, layout, voxelPath, source } = await openNifti(path)
  try {
    const voxels = allocateBytes(layout.voxelBytes, voxelPath)
    const filled = await source.fill(voxels)
    await finish(source, layout, voxelPath, filled)
    return niftiVolume(header, layout, voxels, voxelPath)
  } finally {
    await source.close()
  }
}

/**
 * The voxels of an opened file in file order, `chunkVoxels` at a time; closes the file at the end.
 *
 * @param into memory for voxels that are float32 in the file: its next part each time, and from its start again at its
 *   end (see `VolumeStream`)
 */
export async function* niftiChunks(
  opened: OpenNifti,
  chunkVoxels: number,
  into?: Float32Array,
): AsyncGenerator<VoxelArray> {
  const { header, layout, voxelPath, source } = opened
  const chunkBytes = chunkVoxels * storedBytes(layout.type)
  const memory = layout.type === 'float32' && into && into.length > 0 ? into : undefined
  try {
    let done = 0
    while (done < layout.voxelBytes) {
      // No more than the file can hold: openNifti has checked voxelBytes against its size.
      const length = Math.min(chunkBytes, layout.voxelBytes - done)
      const voxels = memory ? bytesOf(nextPart(memory, done / 4, length / 4)) : new Uint8Array(length)
      const filled = await source.fill(voxels)
      done += filled
      if (filled < voxels.length) break
      const chunk = voxelsFromBytes(voxels, layout.type, header.littleEndian)
      if (chunk === undefined) throw inexactInteger(layout, voxelPath)
      yield chunk
    }
    await finish(source, layout, voxelPath, done)
  } finally {
    await source.close()
  }
}

/** Opens a NIfTI file and reads up to its first voxel. */
export async function openNifti(path: string): Promise<OpenNifti> {
  const pair = pairOf(path)
  let source = await openByteSource(pair?.hdr ?? path)
  const headPath = pair?.hdr ?? path
  try {
    const sizeField = await take(source, 4)
    const rest = await take(source, headerBytes(sizeOfHeaderIs540(sizeField) ? 2 : 1) - 4)
    const bare = parseNiftiHeader(concatenate([sizeField, rest]), headPath)
    const layout = niftiLayout(bare, headPath)
    if (layout.single) {
      // A compressed file's true length shows only at its end; until then it is bounded by deflate's best ratio.
      requireBytes(source.bound, layout, headPath, source.exact)
      const extension = await take(source, layout.voxelOffset - bare.bytes.length)
      return { header: { ...bare, extension }, layout, voxelPath: headPath, source }
    }
    if (!pair) throw new InputError(path, 'is the header of a .hdr/.img pair; name it .hdr, with its .img beside it')
    const extension = await take(source, maxExtensionBytes + 1)
    if (extension.length > maxExtensionBytes) {
      throw new InputError(headPath, 'holds more than 64 MiB behind its NIfTI header; it is damaged')
    }
    await source.close()
    source = await openByteSource(await pair.img())
    requireBytes(source.bound, layout, await pair.img(), source.exact)
    await skip(source, layout.voxelOffset)
    return { header: { ...bare, extension }, layout, voxelPath: await pair.img(), source }
  } catch (error) {
    await source.close()
    throw error
  }
}

function sizeOfHeaderIs540(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return bytes.length === 4 && (view.getInt32(0, true) === 540 || view.getInt32(0, false) === 540)
}

/** The two files of a pair, from the name of either; `.gz` may end both. */
function pairOf(path: string): { hdr: string; img: () => Promise<string> } | undefined {
  const parts = /^(.*)\.(hdr|img)(\.gz)?$/i.exec(path)
  if (!parts) return undefined
  const [, stem, extension, gz = ''] = parts
  const upper = extension === extension.toUpperCase()
  const hdr = `${stem}.${upper ? 'HDR' : 'hdr'}${gz}`
  const img = `${stem}.${upper ? 'IMG' : 'img'}`
  return {
    hdr: extension.toLowerCase() === 'hdr' ? path : hdr,
    img: async () => {
      for (const candidate of [`${img}${gz}`, img, `${img}.gz`]) {
        if (await stat(candidate).catch(() => undefined)) return candidate
      }
      throw new InputError(path, `has no ${img} beside it; keep the two files of the pair together`)
    },
  }
}

/** Verifies the end of the file: complete, nothing behind it, and (gzip) the right checksum. */
async function finish(source: ByteSource, layout: NiftiLayout, path: string, filled: number): Promise<void> {
  if (filled < layout.voxelBytes) requireBytes(layout.voxelOffset + filled, layout, path)
  await drain(source, (rest) => requirePadding(rest, layout, path))
}

async function skip(source: ByteSource, length: number): Promise<void> {
  const scratch = new Uint8Array(Math.min(length, 65536))
  for (let left = length; left > 0; ) {
    const filled = await source.fill(scratch.subarray(0, Math.min(left, scratch.length)))
    if (filled === 0) return
    left -= filled
  }
}
