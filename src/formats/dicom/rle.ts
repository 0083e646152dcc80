/**
 * Decodes one frame of RLE lossless (DICOM PS3.5, annex G): a segment for each byte of a pixel, the highest byte first,
 * each packed as PackBits. Returns the pixels' bytes, the lowest first, or undefined where a segment ends early or is
 * missing: ITK's decoder would leave the rest of such a frame as it happens to be.
 */
export function decodeRle(frame: Uint8Array, pixels: number, bytesPerPixel: number): Uint8Array | undefined {
  if (frame.length < header) return undefined
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  if (view.getUint32(0, true) !== bytesPerPixel) return undefined
  const out = new Uint8Array(pixels * bytesPerPixel)
  for (let segment = 0; segment < bytesPerPixel; segment++) {
    const start = view.getUint32(4 + 4 * segment, true)
    const end = segment + 1 < bytesPerPixel ? view.getUint32(8 + 4 * segment, true) : frame.length
    if (start < header || end > frame.length) return undefined
    if (!unpack(frame.subarray(start, end), out, bytesPerPixel - 1 - segment, bytesPerPixel)) return undefined
  }
  return out
}

/** The number of segments and their offsets, 16 in all. */
const header = 64

/** Fills every `step`th byte of `out`; false where the segment holds too few or too many. */
function unpack(segment: Uint8Array, out: Uint8Array, first: number, step: number): boolean {
  let to = first
  let at = 0
  while (to < out.length) {
    const code = segment[at++]
    // Past the end, `code` is undefined and compares as false.
    const literal = code < 128
    const count = literal ? code + 1 : 257 - code
    if (!(count >= 1)) return false
    if (code === 128) continue
    const last = at + (literal ? count : 1)
    if (last > segment.length || to + (count - 1) * step >= out.length) return false
    for (let n = 0; n < count; n++, to += step) out[to] = segment[literal ? at + n : at]
    at = last
  }
  return true
}
