import { InputError } from '../../volume/errors.ts'
import type { VoxelArray } from '../../volume/volume.ts'
import { swapBytes, voxelsFromBytes } from '../voxel-types.ts'
import type { CompressedPixels } from './compressed.ts'
import { type FramePixels, type PixelLayout, pixelType, undecodable } from './image.ts'
import { type DicomFile, inflate } from './part10.ts'
import { decodeRle } from './rle.ts'

/** A file whose pixels are wanted. */
export interface PixelSource {
  readonly file: DicomFile
  readonly layout: PixelLayout
}

/**
 * The pixels of files: read in place, or decoded, compressed ones together.
 *
 * @throws InputError where there are more or fewer than the layout promises, or they cannot be decoded
 */
export async function readPixels(sources: readonly PixelSource[]): Promise<FramePixels[]> {
  const pixels: (FramePixels | undefined)[] = []
  const compressed: CompressedPixels[] = []
  for (const source of sources) {
    const found = storedPixels(source)
    if (typeof found === 'function') pixels.push(found)
    else {
      compressed.push(found)
      pixels.push(undefined)
    }
  }
  if (compressed.length === 0) return pixels as FramePixels[]
  const { decodeWithItk } = await import('./compressed.ts')
  const decoded = await decodeWithItk(compressed)
  let next = 0
  return pixels.map((frame) => frame ?? decoded[next++])
}

function storedPixels({ file, layout }: PixelSource): FramePixels | CompressedPixels {
  const { dataSet, syntax, subject } = file
  const coding = syntax.pixels
  if (!coding) {
    throw new InputError(
      subject,
      `is compressed as ${syntax.name}, which halfdice cannot decode; export it uncompressed`,
    )
  }
  const data = dataSet.pixelData()
  if (!data) throw new InputError(subject, 'has no PixelData; export it again')
  if ('bytes' in data !== (coding === 'native')) {
    throw new InputError(
      subject,
      `has pixels that are not stored as its transfer syntax says (${syntax.name}); export it again`,
    )
  }
  if ('bytes' in data) return nativePixels(data.bytes, data.vr, file, layout)
  const parts = frameParts(data.fragments, layout.frames, subject)
  if (coding === 'itk') return { file, layout, parts }
  const frames = parts.map((part) => {
    if (coding === 'plain fragments') return part
    return coding === 'rle' ? rleFrame(part, file, layout) : inflate(part, subject)
  })
  const single = { ...layout, frames: 1 }
  for (const frame of frames) requireLength(frame, single, subject)
  return (index) => frameOfBytes(frames[index], 0, layout, true)
}

function rleFrame(part: Uint8Array, { subject, syntax }: DicomFile, layout: PixelLayout): Uint8Array {
  // Single bits are not stored as RLE: no segment could hold an eighth of a byte a pixel.
  const frame = decodeRle(part, layout.rows * layout.columns, layout.bitsAllocated / 8)
  if (!frame) throw undecodable(subject, syntax.name)
  return frame
}

function nativePixels(bytes: Uint8Array, vr: string, file: DicomFile, layout: PixelLayout): FramePixels {
  requireLength(bytes, layout, file.subject)
  const { little } = file.syntax
  // Bytes and bits in 16-bit words of the other order stand in exchanged pairs.
  const words = !little && vr === 'OW' && layout.bitsAllocated <= 8
  const ordered = words ? Uint8Array.from(bytes) : bytes
  if (words) swapBytes(ordered, 2)
  return (index) => frameOfBytes(ordered, index, layout, little)
}

/** Pixels take as many bytes as the layout promises, or one more to make them even (DICOM PS3.5, 8.1.1). */
function requireLength(
  bytes: Uint8Array,
  { rows, columns, frames, bitsAllocated }: PixelLayout,
  subject: string,
): void {
  const promised = Math.ceil((rows * columns * frames * bitsAllocated) / 8)
  if (bytes.length === promised || bytes.length === promised + (promised % 2)) return
  throw new InputError(
    subject,
    `has ${bytes.length} bytes of pixels where its header promises ${promised}: it is damaged; copy or export it again`,
  )
}

function frameOfBytes(bytes: Uint8Array, index: number, layout: PixelLayout, little: boolean): VoxelArray {
  const count = layout.rows * layout.columns
  if (layout.bitsAllocated === 1) return unpackBits(bytes, index * count, count)
  const size = (count * layout.bitsAllocated) / 8
  // Not `subarray`: a slice of a Buffer would share its memory.
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset + index * size, size)
  // The file's bytes stay as they are: swapping happens in place.
  const values = voxelsFromBytes(little ? view : view.slice(), pixelType(layout), little)
  return withoutUnusedBits(values as VoxelArray, layout)
}

/** Bits follow each other without a gap, across rows and frames, the lowest of a byte first (PS3.5, 8.1.1). */
function unpackBits(bytes: Uint8Array, firstBit: number, count: number): Uint8Array {
  const out = new Uint8Array(count)
  const first = Math.floor(firstBit / 8)
  const shift = firstBit % 8
  for (let n = 0; n < count; n++) {
    const bit = shift + n
    out[n] = (bytes[first + (bit >> 3)] >> (bit & 7)) & 1
  }
  return out
}

/** Bits above BitsStored are not part of the number (old files keep overlays there). */
function withoutUnusedBits(values: VoxelArray, { bitsStored, bitsAllocated, signed }: PixelLayout): VoxelArray {
  if (bitsStored === bitsAllocated) return values
  const unused = 32 - bitsStored
  const out = values.slice()
  for (let n = 0; n < out.length; n++) out[n] = signed ? (out[n] << unused) >> unused : (out[n] << unused) >>> unused
  return out
}

/** The compressed bytes of each frame, which may be spread over several fragments (PS3.5, A.4). */
function frameParts([table, ...fragments]: readonly Uint8Array[], frames: number, subject: string): Uint8Array[] {
  if (fragments.length === frames) return fragments
  if (frames === 1 && fragments.length > 0) return [Buffer.concat(fragments)]
  const offsets = table ? new DataView(table.buffer, table.byteOffset, table.byteLength) : undefined
  if (!offsets || offsets.byteLength !== 4 * frames || fragments.length < frames) {
    throw new InputError(
      subject,
      `has ${fragments.length} fragments of pixels for ${frames} frames; export it uncompressed`,
    )
  }
  const parts: Uint8Array[][] = []
  let at = 0
  for (const fragment of fragments) {
    if (parts.length < frames && offsets.getUint32(4 * parts.length, true) === at) parts.push([])
    parts.at(-1)?.push(fragment)
    at += 8 + fragment.length
  }
  if (parts.length !== frames) {
    throw new InputError(subject, 'has an offset table that does not fit its fragments: it is damaged; copy it again')
  }
  return parts.map((part) => Buffer.concat(part))
}
