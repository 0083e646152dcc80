import { promisify } from 'node:util'
import { constants, crc32, deflateRaw } from 'node:zlib'

const deflate = promisify<Uint8Array, object, Buffer>(deflateRaw)

/**
 * Run-length matches only: masks and probability maps are plateaus, so that this is faster than zlib's level 1 and no
 * larger on them (CT of int16 values becomes 8 % larger). Measured in bench/formats.mjs.
 */
const gzipOptions = { level: 6, strategy: constants.Z_RLE, memLevel: 9 }
/** Slabs compressed at the same time; libuv's pool has four threads by default, a few more keep it busy. */
const inFlight = 8

/**
 * One gzip member from slabs of bytes. The result depends on how the bytes are cut into slabs, but not on the number of
 * threads, and holds no time stamp or name.
 */
export async function* gzip(slabs: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // RFC 1952: magic, deflate, no flags, no time, no extra flags, unknown operating system.
  yield Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
  const { checksum, length } = yield* deflated(slabs)
  const end = new DataView(new ArrayBuffer(8))
  end.setUint32(0, checksum, true)
  end.setUint32(4, length % 2 ** 32, true)
  yield new Uint8Array(end.buffer)
}

/**
 * A deflate stream (RFC 1951) from slabs that are compressed independently, as pigz does, on libuv's threads. Returns
 * the CRC-32 and the length of what went in.
 */
export async function* deflated(
  slabs: Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, { checksum: number; length: number }> {
  let checksum = 0
  let length = 0
  const queue: Promise<Uint8Array>[] = []
  for (const slab of slabs) {
    // A sync flush ends the slab on a byte boundary with an empty stored block, so that slabs can be concatenated.
    queue.push(deflate(slab, { ...gzipOptions, finishFlush: constants.Z_SYNC_FLUSH }))
    checksum = crc32(slab, checksum)
    length += slab.length
    if (queue.length === inFlight) yield (await queue.shift()) as Uint8Array
  }
  for (const compressed of queue) yield await compressed
  yield Uint8Array.of(3, 0) // an empty last block with fixed codes: bits 1, 01, 0000000
  return { checksum, length }
}
