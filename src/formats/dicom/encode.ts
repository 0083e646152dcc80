import type { PixelLayout } from './image.ts'

/** Classes of a bare multi-frame image: 8 bits, and more. */
const byteImage = '1.2.840.10008.5.1.4.1.1.7.2'
const wordImage = '1.2.840.10008.5.1.4.1.1.7.3'
/** A uid below the root that stands for UUIDs (PS3.5, B.2); no two files meet, so that one number will do. */
const uid = '2.25.1'

/**
 * A DICOM file that holds compressed pixels and nothing else: no patient, no place, no rescaling. So a decoder gives
 * the stored numbers of each frame, in the order of `frames`.
 */
export function encodePixelFile(syntaxUid: string, layout: PixelLayout, frames: readonly Uint8Array[]): Uint8Array {
  const sopClass = layout.bitsAllocated === 8 ? byteImage : wordImage
  const meta = [
    element(0x00020001, 'OB', Uint8Array.of(0, 1)),
    element(0x00020002, 'UI', sopClass),
    element(0x00020003, 'UI', uid),
    element(0x00020010, 'UI', syntaxUid),
    element(0x00020012, 'UI', uid),
  ]
  const metaLength = meta.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([
    new Uint8Array(128),
    Buffer.from('DICM'),
    element(0x00020000, 'UL', Uint8Array.of(metaLength & 255, metaLength >> 8, 0, 0)),
    ...meta,
    element(0x00080016, 'UI', sopClass),
    element(0x00080018, 'UI', uid),
    element(0x00280002, 'US', short(1)),
    element(0x00280004, 'CS', 'MONOCHROME2'),
    element(0x00280008, 'IS', String(frames.length)),
    element(0x00280010, 'US', short(layout.rows)),
    element(0x00280011, 'US', short(layout.columns)),
    element(0x00280100, 'US', short(layout.bitsAllocated)),
    element(0x00280101, 'US', short(layout.bitsStored)),
    element(0x00280102, 'US', short(layout.bitsStored - 1)),
    element(0x00280103, 'US', short(Number(layout.signed))),
    header(0x7fe00010, 'OB', 0xffffffff),
    item(0xfffee000, new Uint8Array(0)),
    ...frames.map((frame) => item(0xfffee000, frame)),
    item(0xfffee0dd, new Uint8Array(0)),
  ])
}

function element(tag: number, vr: string, value: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(value)
  const padding = Buffer.alloc(bytes.length % 2, vr === 'UI' || vr === 'OB' ? 0 : 0x20)
  return Buffer.concat([header(tag, vr, bytes.length + padding.length), bytes, padding])
}

function header(tag: number, vr: string, length: number): Uint8Array {
  const long = vr === 'OB'
  const head = Buffer.alloc(long ? 12 : 8)
  head.writeUInt16LE(tag >>> 16, 0)
  head.writeUInt16LE(tag & 0xffff, 2)
  head.write(vr, 4, 'latin1')
  if (long) head.writeUInt32LE(length, 8)
  else head.writeUInt16LE(length, 6)
  return head
}

function item(tag: number, bytes: Uint8Array): Uint8Array {
  const head = Buffer.alloc(8)
  head.writeUInt16LE(tag >>> 16, 0)
  head.writeUInt16LE(tag & 0xffff, 2)
  head.writeUInt32LE(bytes.length + (bytes.length % 2), 4)
  return Buffer.concat([head, bytes, new Uint8Array(bytes.length % 2)])
}

function short(value: number): Uint8Array {
  return Uint8Array.of(value & 255, value >> 8)
}
