import { constants } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { InputError } from '../volume/errors.ts'
import { inputFault } from './file-faults.ts'
import { outOfMemory } from './memory.ts'
import { openRegularFile } from './read-file.ts'

/** A file read from front to end, decompressed on the way where it is gzip. */
export interface ByteSource {
  /** The most bytes the file can hold: its size, or for compressed files what deflate could expand it to. */
  readonly bound: number
  /** Whether `bound` is the file's very size. */
  readonly exact: boolean
  /** Fills `target` as far as the file goes; fewer bytes than asked for mean its end. */
  fill(target: Uint8Array): Promise<number>
  close(): Promise<void>
}

/** Large enough that a step costs little, small beside a volume. */
export const chunkBytes = 1 << 20
/** RFC 1951: a deflate block of the longest matches (258 bytes in 2 bits) expands at most 1032-fold. */
export const maxDeflateRatio = 1032

/**
 * Opens a file, gzip-compressed or not (told by its first bytes, not by its name).
 *
 * @throws InputError where it cannot be opened; `fill` throws it where the gzip data are damaged or end early
 */
export async function openByteSource(path: string): Promise<ByteSource> {
  try {
    const { file, size } = await openRegularFile(path)
    const magic = new Uint8Array(2)
    await file.read(magic, 0, 2, 0)
    if (magic[0] === 0x1f && magic[1] === 0x8b) {
      await file.close()
      return gzipSource(path, size)
    }
    return {
      bound: size,
      exact: true,
      async fill(target) {
        let filled = 0
        while (filled < target.length) {
          // A read of 2 GiB or more fails on some systems.
          const { bytesRead } = await file.read(target, filled, Math.min(target.length - filled, 1 << 30))
          if (bytesRead === 0) break
          filled += bytesRead
        }
        return filled
      },
      close: () => file.close(),
    }
  } catch (error) {
    throw inputFault(error, path)
  }
}

function gzipSource(path: string, size: number): ByteSource {
  const gunzip = createGunzip({ chunkSize: chunkBytes })
  // Errors reach the iterator of the last stream.
  const stream = pipeline(createReadStream(path, { highWaterMark: chunkBytes }), gunzip, () => {})
  return streamSource(stream, path, size * maxDeflateRatio)
}

/** The bytes that a stream yields; `bound` is the most that it can. */
export function streamSource(stream: Readable, path: string, bound: number): ByteSource {
  const chunks: AsyncIterator<Uint8Array> = stream[Symbol.asyncIterator]()
  // The iterator reports errors; before it is first asked, they must not reach the process.
  stream.on('error', () => {})
  let chunk: Uint8Array = new Uint8Array(0)
  return {
    bound,
    exact: false,
    async fill(target) {
      let filled = 0
      while (filled < target.length) {
        if (chunk.length === 0) {
          try {
            const next = await chunks.next()
            if (next.done) break
            chunk = next.value
          } catch (error) {
            throw inputFault(error, path)
          }
        }
        const part = chunk.subarray(0, target.length - filled)
        target.set(part, filled)
        filled += part.length
        chunk = chunk.subarray(part.length)
      }
      return filled
    },
    async close() {
      stream.destroy()
    },
  }
}

/** The next `length` bytes, or fewer at the end of the file; memory grows only as bytes arrive. */
export async function take(source: ByteSource, length: number): Promise<Uint8Array> {
  const first = new Uint8Array(Math.min(length, source.bound, chunkBytes))
  let filled = await source.fill(first)
  if (filled < first.length || filled === length) return first.subarray(0, filled)
  const pieces = [first]
  for (let piece = first; piece.length > 0 && filled < length; filled += piece.length) {
    piece = new Uint8Array(Math.min(length - filled, chunkBytes))
    piece = piece.subarray(0, await source.fill(piece))
    pieces.push(piece)
  }
  return concatenate(pieces)
}

/**
 * Zeroed memory for an array of a file. Throws InputError where no array can be as large, RunError where memory has run
 * out.
 */
export function allocateBytes(length: number, subject: string): Uint8Array {
  try {
    return new Uint8Array(length)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    if (length <= constants.MAX_LENGTH) throw outOfMemory(subject)
    const gigabytes = (length / 1e9).toFixed(1)
    throw new InputError(subject, `its ${gigabytes} GB exceed what one array can hold; crop or split it`)
  }
}

/** Several arrays as one. */
export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    out.set(piece, at)
    at += piece.length
  }
  return out
}

/** Reads to the end of the file in pieces, so that a gzip's checksum is verified; `inspect` sees each piece. */
export async function drain(source: ByteSource, inspect: (bytes: Uint8Array) => void): Promise<void> {
  const piece = new Uint8Array(65536)
  for (let length = piece.length; length === piece.length; ) {
    length = await source.fill(piece)
    inspect(piece.subarray(0, length))
  }
}
