import { encode } from 'fast-png'
import type { Bytes } from '../../volume/bytes.ts'

/** An 8-bit raster, rows from the top: grey (1 channel), RGB (3) or RGBA (4). */
export interface Raster {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3 | 4
  readonly data: Uint8Array
}

/**
 * The raster as a PNG file. The same raster gives the same bytes.
 *
 * @example
 * encodePng({ width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0) })[0] // 137
 */
export function encodePng({ width, height, channels, data }: Raster): Bytes {
  return new Uint8Array(encode({ width, height, channels, depth: 8, data }, { zlib: { level: 9 } }))
}

/**
 * The raster as `data:image/png;base64,…`.
 *
 * @example
 * pngDataUri({ width: 1, height: 1, channels: 1, data: Uint8Array.of(255) }).slice(0, 22) // 'data:image/png;base64,'
 */
export function pngDataUri(raster: Raster): string {
  return `data:image/png;base64,${base64(encodePng(raster))}`
}

export function base64(bytes: Uint8Array): string {
  let text = ''
  // In pieces, because a call takes a limited number of arguments.
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(text)
}
