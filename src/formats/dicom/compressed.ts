import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InputError } from '../../volume/errors.ts'
import type { VoxelArray } from '../../volume/volume.ts'
import { ItkFailure, type ItkImage, withItk } from '../itk-worker.ts'
import { arrayType } from '../voxel-types.ts'
import { encodePixelFile } from './encode.ts'
import { type FramePixels, type PixelLayout, pixelType, undecodable } from './image.ts'
import type { DicomFile } from './part10.ts'

/** The compressed frames of one file. */
export interface CompressedPixels {
  readonly file: DicomFile
  readonly layout: PixelLayout
  readonly parts: readonly Uint8Array[]
}

/** Frames that are decoded together, in bytes: much per start of ITK, little beside its memory. */
const batchBytes = 64e6
const maxThreads = 4

/**
 * Decodes JPEG, JPEG-LS and JPEG 2000 frames. ITK is given the pixels alone, so that what it makes of the rest of a
 * file (the order of frames, rescaling, geometry) does not matter; and those of many files at once, because it takes
 * long to start.
 *
 * @throws InputError naming the file that ITK cannot decode
 */
export async function decodeWithItk(sources: readonly CompressedPixels[]): Promise<FramePixels[]> {
  const bits = sources.find(({ layout }) => layout.bitsAllocated === 1)
  if (bits) throw damaged(bits)
  const batches = batchesOf(sources)
  const decoded = new Map<CompressedPixels, FramePixels>()
  let next = 0
  const work = async () => {
    while (next < batches.length) {
      const batch = batches[next++]
      try {
        for (const [n, pixels] of (await decodeBatch(batch)).entries()) decoded.set(batch[n], pixels)
      } catch (error) {
        next = batches.length // the other threads need not go on
        throw error
      }
    }
  }
  const threads = Math.min(availableParallelism(), maxThreads, batches.length)
  await Promise.all(Array.from({ length: threads }, work))
  return sources.map((source) => decoded.get(source) as FramePixels)
}

/** Files with the same kind of pixels, in batches. */
function batchesOf(sources: readonly CompressedPixels[]): CompressedPixels[][] {
  const open = new Map<string, { bytes: number; batch: CompressedPixels[] }>()
  const batches: CompressedPixels[][] = []
  for (const source of sources) {
    const { rows, columns, frames, bitsAllocated, bitsStored, signed } = source.layout
    const kind = [source.file.syntaxUid, rows, columns, bitsAllocated, bitsStored, signed].join()
    const bytes = (rows * columns * frames * bitsAllocated) / 8
    const last = open.get(kind)
    if (last && last.bytes + bytes <= batchBytes) {
      last.batch.push(source)
      last.bytes += bytes
    } else {
      const batch = [source]
      batches.push(batch)
      open.set(kind, { bytes, batch })
    }
  }
  return batches
}

async function decodeBatch(batch: readonly CompressedPixels[]): Promise<FramePixels[]> {
  const data = await decode(batch)
  if (data) {
    const [{ layout }] = batch
    const count = layout.rows * layout.columns
    let first = 0
    return batch.map(({ parts }) => {
      const from = first
      first += parts.length
      return (index) => data.subarray((from + index) * count, (from + index + 1) * count)
    })
  }
  if (batch.length === 1) throw damaged(batch[0])
  const alone: FramePixels[] = []
  for (const source of batch) alone.push(...(await decodeBatch([source])))
  return alone
}

/** The stored numbers of a batch, or undefined where ITK cannot decode them. */
async function decode(batch: readonly CompressedPixels[]): Promise<VoxelArray | undefined> {
  const [{ file, layout }] = batch
  const frames = batch.flatMap(({ parts }) => parts)
  const expected = layout.rows * layout.columns * frames.length
  try {
    const { couldRead, image } = await withTemporaryFile(encodePixelFile(file.syntaxUid, layout, frames), (path) =>
      withItk((call) => call<{ couldRead?: boolean; image?: ItkImage }>('gdcmReadImageNode', 2 * expected, path)),
    )
    const data = couldRead ? (image?.data as VoxelArray | null | undefined) : undefined
    return data?.length === expected && arrayType(data) === pixelType(layout) ? data : undefined
  } catch (error) {
    if (error instanceof ItkFailure) return undefined
    throw error
  }
}

function damaged({ file: { subject, syntax } }: CompressedPixels): InputError {
  return undecodable(subject, syntax.name)
}

async function withTemporaryFile<T>(bytes: Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'halfdice-dicom-'))
  try {
    const path = join(folder, 'pixels.dcm')
    await writeFile(path, bytes)
    return await use(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
