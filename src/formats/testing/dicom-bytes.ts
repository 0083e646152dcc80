/** One CT slice as DICOM (Part 10, explicit VR little endian), written byte by byte for tests. */
export interface SliceRecipe {
  rows: number
  columns: number
  /** Stored values, row by row. */
  pixels: Int16Array
  /** World position (LPS, mm) of the first pixel's centre. */
  position: readonly [number, number, number]
  /** Direction of a row, then of a column. */
  orientation?: readonly number[]
  /** Between rows, then between columns. */
  pixelSpacing?: readonly [number, number]
  series?: string
  instance?: number
  slope?: number
  intercept?: number
  modality?: string
}

const CT_STORAGE = '1.2.840.10008.5.1.4.1.1.2'
const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1'

export function dicomSlice(recipe: SliceRecipe): Uint8Array {
  const { rows, columns, pixels, position, instance = 1, slope = 1, intercept = 0 } = recipe
  const { orientation = [1, 0, 0, 0, 1, 0], pixelSpacing = [1, 1], series = '1.2.3.4', modality = 'CT' } = recipe
  const meta = [
    element(0x0002, 0x0001, 'OB', Uint8Array.of(0, 1)),
    element(0x0002, 0x0002, 'UI', CT_STORAGE),
    element(0x0002, 0x0003, 'UI', `${series}.${instance}`),
    element(0x0002, 0x0010, 'UI', EXPLICIT_LITTLE),
    element(0x0002, 0x0012, 'UI', '1.2.3'),
  ]
  const metaLength = meta.reduce((sum, part) => sum + part.length, 0)
  const data = [
    element(0x0008, 0x0016, 'UI', CT_STORAGE),
    element(0x0008, 0x0018, 'UI', `${series}.${instance}`),
    element(0x0008, 0x0060, 'CS', modality),
    element(0x0020, 0x000d, 'UI', '1.2.3.1'),
    element(0x0020, 0x000e, 'UI', series),
    element(0x0020, 0x0013, 'IS', String(instance)),
    element(0x0020, 0x0032, 'DS', position.join('\\')),
    element(0x0020, 0x0037, 'DS', orientation.join('\\')),
    element(0x0028, 0x0002, 'US', short(1)),
    element(0x0028, 0x0004, 'CS', 'MONOCHROME2'),
    element(0x0028, 0x0010, 'US', short(rows)),
    element(0x0028, 0x0011, 'US', short(columns)),
    element(0x0028, 0x0030, 'DS', pixelSpacing.join('\\')),
    element(0x0028, 0x0100, 'US', short(16)),
    element(0x0028, 0x0101, 'US', short(16)),
    element(0x0028, 0x0102, 'US', short(15)),
    element(0x0028, 0x0103, 'US', short(1)),
    element(0x0028, 0x1052, 'DS', String(intercept)),
    element(0x0028, 0x1053, 'DS', String(slope)),
    element(0x7fe0, 0x0010, 'OW', new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength)),
  ]
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, metaLength, true)
  const preamble = new Uint8Array(132)
  preamble.set(new TextEncoder().encode('DICM'), 128)
  return Uint8Array.from(
    [preamble, element(0x0002, 0x0000, 'UL', length), ...meta, ...data].flatMap((part) => [...part]),
  )
}

function element(group: number, tag: number, vr: string, value: string | Uint8Array): Uint8Array {
  const text = typeof value === 'string' ? new TextEncoder().encode(value) : value
  const body = new Uint8Array(text.length + (text.length % 2)).fill(vr === 'UI' ? 0 : 0x20)
  body.set(text)
  const long = vr === 'OB' || vr === 'OW'
  const head = new Uint8Array(long ? 12 : 8)
  const view = new DataView(head.buffer)
  view.setUint16(0, group, true)
  view.setUint16(2, tag, true)
  head.set(new TextEncoder().encode(vr), 4)
  if (long) view.setUint32(8, body.length, true)
  else view.setUint16(6, body.length, true)
  return Uint8Array.of(...head, ...body)
}

function short(value: number): Uint8Array {
  return Uint8Array.of(value & 255, value >> 8)
}
