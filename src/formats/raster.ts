import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { pipeline } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import { InputError } from '../volume/errors.ts'
import type { VoxelArray } from '../volume/volume.ts'
import { allocateBytes, type ByteSource, chunkBytes, maxDeflateRatio, streamSource, take } from './byte-source.ts'
import { inputFault } from './file-faults.ts'
import { noteRead } from './inputs.ts'
import { numbersOfText } from './text-numbers.ts'
import { allocateVoxels, type StoredType, storedBytes, voxelsFromBytes, voxelTypeOf } from './voxel-types.ts'

/** Numbers in a fixed order in one or several files: what an NRRD or MetaImage header says of its data. */
export interface Raster {
  /** Each file holds an equal share. */
  readonly files: readonly string[]
  /** Where the data begin (behind an attached header), before anything is skipped. */
  readonly start: number
  readonly encoding: 'raw' | 'gzip' | 'zlib' | 'text' | 'hex'
  /** Lines to pass over first. */
  readonly skipLines: number
  /** Bytes to pass over then, after decompression; −1 for raw data at the very end of their file. */
  readonly skipBytes: number
  /** Bytes of the compressed data, where the header says. */
  readonly packedBytes?: number
  readonly type: StoredType
  readonly littleEndian: boolean
  /** How many numbers. */
  readonly length: number
}

/** Nobody hides more than this in front of compressed voxels; a damaged count must not cost minutes. */
const maxPackedSkip = 1 << 26

/**
 * Reads all numbers. Checksums of compressed data are verified; every file must end where the header promises.
 *
 * @param subject the header's path
 * @throws InputError where a file is missing, truncated, damaged or too long
 */
export async function readRaster(raster: Raster, subject: string): Promise<VoxelArray> {
  const share = raster.length / raster.files.length
  if (!Number.isInteger(share)) {
    throw new InputError(subject, `divides ${raster.length} numbers among ${raster.files.length} files; write it again`)
  }
  const shareBytes = share * storedBytes(raster.type)
  let bytes: Uint8Array | undefined
  const parts: number[][] = []
  for (const [n, path] of raster.files.entries()) {
    const source = await openRaster(raster, path, shareBytes, subject).catch((error) => {
      throw inputFault(error, path)
    })
    try {
      if (raster.encoding === 'text') {
        const text = await take(source, Number.MAX_SAFE_INTEGER)
        parts.push(numbersOfText(text, raster.type, share, path))
        continue
      }
      const needed = raster.encoding === 'hex' ? 2 * shareBytes : shareBytes
      if (source.bound < needed) throw wrongLength(needed, `${source.exact ? '' : 'at most '}${source.bound}`, path)
      bytes ??= allocateBytes(shareBytes * raster.files.length, subject)
      const target = bytes.subarray(n * shareBytes, (n + 1) * shareBytes)
      if (raster.encoding === 'hex') decodeHex(await take(source, Number.MAX_SAFE_INTEGER), target, path)
      else await fillExactly(source, target, path)
    } finally {
      await source.close()
    }
  }
  if (raster.encoding === 'text') return voxelsOfNumbers(parts, raster)
  const data = voxelsFromBytes(bytes as Uint8Array, raster.type, raster.littleEndian)
  if (data) return data
  throw new InputError(subject, `has ${raster.type} voxels beyond 2^53; convert it to float64 or int32`)
}

async function fillExactly(source: ByteSource, target: Uint8Array, path: string): Promise<void> {
  const filled = await source.fill(target)
  if (filled < target.length) throw wrongLength(target.length, String(filled), path)
  // Asking beyond the last byte is also what makes a compressed stream verify its checksum.
  if ((await source.fill(new Uint8Array(1))) > 0) {
    throw new InputError(
      path,
      `holds more data than its header promises (${target.length} bytes); one of them is damaged`,
    )
  }
}

function wrongLength(needed: number, actual: string, path: string): InputError {
  return new InputError(path, `is truncated: its voxels need ${needed} bytes, it has ${actual}; get it again`)
}

/** A source that stands at a file's first number. */
async function openRaster(raster: Raster, path: string, bytes: number, subject: string): Promise<ByteSource> {
  const { encoding, skipBytes, packedBytes } = raster
  const size = await sizeOf(path, subject)
  let start = raster.start
  if (raster.skipLines > 0) start = await behindLines(path, start, raster.skipLines)
  const packed = encoding === 'gzip' || encoding === 'zlib'
  if (!packed) {
    start = skipBytes === -1 ? Math.max(start, size - bytes) : start + skipBytes
    return plainSource(path, start, size)
  }
  if (skipBytes < 0 || skipBytes > maxPackedSkip) {
    throw new InputError(subject, `skips ${skipBytes} bytes of compressed data; write it again without a byte skip`)
  }
  if (packedBytes !== undefined && start + packedBytes !== size) {
    const fault = start + packedBytes > size ? 'is truncated' : 'holds more data than its header promises'
    throw new InputError(path, `${fault} (${packedBytes} compressed bytes, it has ${size - start}); get it again`)
  }
  const source = await packedSource(path, start, size)
  if (skipBytes > 0) await take(source, skipBytes)
  return source
}

async function sizeOf(path: string, subject: string): Promise<number> {
  try {
    const about = await stat(path)
    if (about.isFile()) {
      noteRead(path)
      return about.size
    }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (!missing) throw inputFault(error, path)
    throw new InputError(subject, `its data file ${basename(path)} is missing; keep the two files together`)
  }
  throw new InputError(path, 'is a folder, a pipe or a device; give a regular file')
}

function plainSource(path: string, start: number, size: number): ByteSource {
  const bound = Math.max(0, size - start)
  if (bound === 0) return { bound, exact: true, fill: async () => 0, close: async () => {} }
  return { ...streamSource(createReadStream(path, { start, highWaterMark: chunkBytes }), path, bound), exact: true }
}

/** zlib (RFC 1950) or gzip (RFC 1952) data, told apart by their first two bytes; both end in a checksum. */
async function packedSource(path: string, start: number, size: number): Promise<ByteSource> {
  const bytes = Math.max(0, size - start)
  const [first, second] = await bytesAt(path, start, 2)
  const unpack = (first === 0x1f && second === 0x8b ? createGunzip : createInflate)({ chunkSize: chunkBytes })
  const unpacked = pipeline(createReadStream(path, { start, highWaterMark: chunkBytes }), unpack, () => {})
  const source = streamSource(unpacked, path, bytes * maxDeflateRatio)
  return {
    ...source,
    async fill(target) {
      const filled = await source.fill(target)
      // Node's gunzip looks at what follows by itself, its inflate stops at the end of the stream.
      if (filled < target.length && unpack.bytesWritten < bytes && first !== 0x1f) {
        throw new InputError(path, 'has something behind its compressed data, which is damaged; get it again')
      }
      return filled
    },
  }
}

async function bytesAt(path: string, start: number, length: number): Promise<Uint8Array> {
  const file = await open(path, 'r')
  const bytes = new Uint8Array(length)
  await file.read(bytes, 0, length, start).finally(() => file.close())
  return bytes
}

/** The byte behind so many lines. */
async function behindLines(path: string, start: number, lines: number): Promise<number> {
  let at = start
  let left = lines
  for await (const chunk of createReadStream(path, { start }) as AsyncIterable<Uint8Array>) {
    for (let from = 0; left > 0; left--) {
      const end = chunk.indexOf(0x0a, from)
      if (end < 0) break
      from = end + 1
      if (left === 1) return at + from
    }
    at += chunk.length
  }
  throw new InputError(path, `has fewer than the ${lines} lines that its header skips; get it again`)
}

/** Pairs of hexadecimal digits, with white space anywhere. */
function decodeHex(text: Uint8Array, target: Uint8Array, path: string): void {
  const digits = Buffer.from(text).toString('latin1').replace(/\s+/g, '')
  const decoded = Buffer.from(digits, 'hex')
  if (digits.length !== 2 * target.length || decoded.length !== target.length) {
    throw new InputError(path, `has no ${target.length} bytes in hexadecimal digits; it is damaged: get it again`)
  }
  target.set(decoded)
}

function voxelsOfNumbers(parts: readonly (readonly number[])[], { type, length }: Raster): VoxelArray {
  const data = allocateVoxels(voxelTypeOf(type), length)
  let at = 0
  for (const part of parts) {
    data.set(part, at)
    at += part.length
  }
  return data
}
