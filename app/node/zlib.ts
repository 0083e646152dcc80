// Stands in for node:zlib in the page's worker: the browser's own decompression.

/** Bytes that are unpacked on their way; see `pipeline` in stream.ts. */
export interface Unpacking {
  readonly format: CompressionFormat
  /** How many packed bytes there were: all of them, since the browser refuses what lies behind. */
  bytesWritten: number
}

export const createGunzip = (): Unpacking => ({ format: 'gzip', bytesWritten: 0 })
export const createInflate = (): Unpacking => ({ format: 'deflate', bytesWritten: 0 })
export const createInflateRaw = (): Unpacking => ({ format: 'deflate-raw', bytesWritten: 0 })

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let code = n
  for (let bit = 0; bit < 8; bit++) code = code & 1 ? 0xedb88320 ^ (code >>> 1) : code >>> 1
  return code
})

/** CRC-32 (ISO 3309). */
export function crc32(bytes: Uint8Array, start = 0): number {
  let crc = ~start
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8)
  return ~crc >>> 0
}

export const constants = { Z_RLE: 3, Z_SYNC_FLUSH: 2 }

function refuse(): never {
  throw new Error('the page reads no deflated DICOM; use the command line')
}

export { refuse as deflate, refuse as deflateRaw, refuse as deflateSync, refuse as inflateRawSync }
