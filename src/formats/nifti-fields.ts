/**
 * A NIfTI header as its file holds it. Fields are read and written in place, so that everything which halfdice does not
 * interpret (descriptions, intent, slice timing, unused bytes) survives from a file that is read to files derived from
 * it.
 */
export interface NiftiHeader {
  readonly format: 'nifti'
  readonly version: 1 | 2
  readonly littleEndian: boolean
  /** 348 bytes (NIfTI-1) or 540 (NIfTI-2). */
  readonly bytes: Uint8Array
  /** What follows the header: the 4-byte extender and the extensions, unchanged. */
  readonly extension: Uint8Array
}

type Kind = 'u8' | 'i16' | 'i32' | 'i64' | 'f32' | 'f64'
type Place = readonly [kind: Kind, offset: number]

/** Each field: how many, and its type and offset in NIfTI-1 (nifti1.h) and in NIfTI-2 (nifti2.h). */
const fieldNames = {
  dimInfo: [1, ['u8', 39], ['u8', 524]],
  dim: [8, ['i16', 40], ['i64', 16]],
  intentP: [3, ['f32', 56], ['f64', 80]],
  intentCode: [1, ['i16', 68], ['i32', 504]],
  datatype: [1, ['i16', 70], ['i16', 12]],
  bitpix: [1, ['i16', 72], ['i16', 14]],
  sliceStart: [1, ['i16', 74], ['i64', 224]],
  pixdim: [8, ['f32', 76], ['f64', 104]],
  voxOffset: [1, ['f32', 108], ['i64', 168]],
  sclSlope: [1, ['f32', 112], ['f64', 176]],
  sclInter: [1, ['f32', 116], ['f64', 184]],
  sliceEnd: [1, ['i16', 120], ['i64', 232]],
  sliceCode: [1, ['u8', 122], ['i32', 496]],
  xyztUnits: [1, ['u8', 123], ['i32', 500]],
  calMax: [1, ['f32', 124], ['f64', 192]],
  calMin: [1, ['f32', 128], ['f64', 200]],
  sliceDuration: [1, ['f32', 132], ['f64', 208]],
  toffset: [1, ['f32', 136], ['f64', 216]],
  descrip: [80, ['u8', 148], ['u8', 240]],
  auxFile: [24, ['u8', 228], ['u8', 320]],
  qformCode: [1, ['i16', 252], ['i32', 344]],
  sformCode: [1, ['i16', 254], ['i32', 348]],
  quatern: [3, ['f32', 256], ['f64', 352]],
  qoffset: [3, ['f32', 268], ['f64', 376]],
  srow: [12, ['f32', 280], ['f64', 400]],
  intentName: [16, ['u8', 328], ['u8', 508]],
} as const satisfies Record<string, readonly [count: number, one: Place, two: Place]>

export type NiftiField = keyof typeof fieldNames
type Writable = Pick<NiftiHeader, 'version' | 'littleEndian' | 'bytes'>

const kindBytes: Record<Kind, number> = { u8: 1, i16: 2, i32: 4, i64: 8, f32: 4, f64: 8 }

/** Header bytes of a version, without extender. */
export function headerBytes(version: 1 | 2): 348 | 540 {
  return version === 1 ? 348 : 540
}

/** A field's element as a number (64-bit extents beyond 2⁵³ lose exactness: they are refused as shapes anyway). */
export function getField(header: Writable, field: NiftiField, index = 0): number {
  const [kind, at] = placeOf(header, field, index)
  const view = viewOf(header)
  const little = header.littleEndian
  switch (kind) {
    case 'u8':
      return view.getUint8(at)
    case 'i16':
      return view.getInt16(at, little)
    case 'i32':
      return view.getInt32(at, little)
    case 'i64':
      return Number(view.getBigInt64(at, little))
    case 'f32':
      return view.getFloat32(at, little)
    case 'f64':
      return view.getFloat64(at, little)
  }
}

/** Sets an element of a field. */
export function setField(header: Writable, field: NiftiField, value: number, index = 0): void {
  const [kind, at] = placeOf(header, field, index)
  const view = viewOf(header)
  const little = header.littleEndian
  switch (kind) {
    case 'u8':
      view.setUint8(at, value)
      break
    case 'i16':
      view.setInt16(at, value, little)
      break
    case 'i32':
      view.setInt32(at, value, little)
      break
    case 'i64':
      view.setBigInt64(at, BigInt(Math.trunc(value)), little)
      break
    case 'f32':
      view.setFloat32(at, value, little)
      break
    case 'f64':
      view.setFloat64(at, value, little)
      break
  }
}

/** An empty little-endian header: sizes and magic set, every other field zero, no extension. */
export function emptyHeader(version: 1 | 2): NiftiHeader {
  const bytes = new Uint8Array(headerBytes(version))
  const header: NiftiHeader = { format: 'nifti', version, littleEndian: true, bytes, extension: new Uint8Array(4) }
  new DataView(bytes.buffer).setInt32(0, bytes.length, true)
  // nifti1.h: "regular" must be 'r' for old ANALYZE readers.
  if (version === 1) bytes[38] = 0x72
  setMagic(header, true)
  return header
}

/** Marks the header as that of a single file or of a `.hdr`/`.img` pair. */
export function setMagic({ version, bytes }: Writable, single: boolean): void {
  const name = single ? 'n+' : 'ni'
  const magic = [name.charCodeAt(0), name.charCodeAt(1), 0x30 + version, 0]
  if (version === 1) bytes.set(magic, 344)
  else bytes.set([...magic, 0x0d, 0x0a, 0x1a, 0x0a], 4)
}

/** The same header in NIfTI-2, whose extents may exceed 32,767. */
export function upgradeHeader(header: NiftiHeader): NiftiHeader {
  if (header.version === 2) return header
  const out = { ...emptyHeader(2), littleEndian: header.littleEndian, extension: header.extension }
  new DataView(out.bytes.buffer).setInt32(0, out.bytes.length, out.littleEndian)
  for (const field of Object.keys(fieldNames) as NiftiField[]) {
    for (let n = 0; n < fieldNames[field][0]; n++) setField(out, field, getField(header, field, n), n)
  }
  return out
}

/** Whether a volume's `header` came from a NIfTI file. */
export function isNiftiHeader(header: unknown): header is NiftiHeader {
  return typeof header === 'object' && header !== null && (header as { format?: unknown }).format === 'nifti'
}

function placeOf(header: Writable, field: NiftiField, index: number): Place {
  const [kind, offset] = fieldNames[field][header.version]
  return [kind, offset + index * kindBytes[kind]]
}

function viewOf({ bytes }: Writable): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
