import { deflateRawSync } from 'node:zlib'

/** A value: text, bytes as they are, numbers of the VR's size, or the items of a sequence. */
type Value = string | Uint8Array | readonly number[] | readonly Elements[]
/** Elements by tag in ascending order: VR and value. */
export type Elements = readonly (readonly [tag: number, vr: string, value: Value])[]

export const explicitVr = '1.2.840.10008.1.2.1'
export const implicit = '1.2.840.10008.1.2'
export const deflated = '1.2.840.10008.1.2.1.99'
export const bigEndian = '1.2.840.10008.1.2.2'
export const sopClasses = {
  ct: '1.2.840.10008.5.1.4.1.1.2',
  enhancedCt: '1.2.840.10008.5.1.4.1.1.2.1',
  mr: '1.2.840.10008.5.1.4.1.1.4',
  segmentation: '1.2.840.10008.5.1.4.1.1.66.4',
  labelMap: '1.2.840.10008.5.1.4.1.1.66.7',
}

interface Writing {
  readonly explicit: boolean
  readonly little: boolean
  /** Sequences and items of undefined length, closed by delimiters. */
  readonly delimited: boolean
}

/** A DICOM file (Part 10) of the elements, written byte by byte. */
export function dicomFile(
  elements: Elements,
  { syntax = explicitVr, delimited = false, preamble = true, meta = true } = {},
): Uint8Array {
  const writing = { explicit: syntax !== implicit, little: syntax !== bigEndian, delimited }
  const sopClass = elements.find(([tag]) => tag === 0x00080016)?.[2] ?? sopClasses.ct
  const about = dataSet(
    [
      [0x00020001, 'OB', Uint8Array.of(0, 1)],
      [0x00020002, 'UI', sopClass],
      [0x00020003, 'UI', '1.2.3.4.5'],
      [0x00020010, 'UI', syntax],
      [0x00020012, 'UI', '1.2.3'],
    ],
    { explicit: true, little: true, delimited: false },
  )
  const length = dataSet([[0x00020000, 'UL', [about.length]]], { explicit: true, little: true, delimited: false })
  const body = dataSet(elements, writing)
  return Buffer.concat([
    ...(preamble ? [new Uint8Array(128), Buffer.from('DICM')] : []),
    ...(meta ? [length, about] : []),
    syntax === deflated ? deflateRawSync(body) : body,
  ])
}

function dataSet(elements: Elements, writing: Writing): Buffer {
  return Buffer.concat(elements.map(([tag, vr, value]) => element(tag, vr, value, writing)))
}

function element(tag: number, vr: string, value: Value, writing: Writing): Buffer {
  const open = vr === 'SQ' && writing.delimited
  const body = vr === 'SQ' ? sequence(value as readonly Elements[], writing) : bytesOf(vr, value as string, writing)
  const padded = Buffer.concat([body, Buffer.alloc(body.length % 2, /UI|OB|OW/.test(vr) ? 0 : 0x20)])
  const long = /^(OB|OL|OW|OF|SQ|UN|UT)$/.test(vr)
  const head = Buffer.alloc(writing.explicit && long ? 12 : 8)
  put(head, tag >>> 16, 0, 2, writing)
  put(head, tag & 0xffff, 2, 2, writing)
  if (writing.explicit) head.write(vr, 4, 'latin1')
  const wide = long || !writing.explicit
  put(head, open ? 0xffffffff : padded.length, wide ? head.length - 4 : 6, wide ? 4 : 2, writing)
  return Buffer.concat([head, padded])
}

function sequence(items: readonly Elements[], writing: Writing): Buffer {
  const { delimited } = writing
  const parts = items.flatMap((item) => {
    const body = dataSet(item, writing)
    const end = delimited ? [itemHead(0xfffee00d, 0, writing)] : []
    return [itemHead(0xfffee000, delimited ? 0xffffffff : body.length, writing), body, ...end]
  })
  return Buffer.concat([...parts, ...(delimited ? [itemHead(0xfffee0dd, 0, writing)] : [])])
}

function itemHead(tag: number, length: number, writing: Writing): Buffer {
  const head = Buffer.alloc(8)
  put(head, tag >>> 16, 0, 2, writing)
  put(head, tag & 0xffff, 2, 2, writing)
  put(head, length, 4, 4, writing)
  return head
}

const sizes: Readonly<Record<string, number>> = { US: 2, SS: 2, UL: 4, OL: 4, FD: 8 }

function bytesOf(vr: string, value: string | Uint8Array | readonly number[], writing: Writing): Buffer {
  if (typeof value === 'string' || value instanceof Uint8Array) return Buffer.from(value as string)
  const size = sizes[vr] ?? 2
  const out = Buffer.alloc(size * value.length)
  for (const [n, number] of value.entries()) {
    if (vr === 'FD') out[writing.little ? 'writeDoubleLE' : 'writeDoubleBE'](number, 8 * n)
    else put(out, number & (size === 2 ? 0xffff : -1), size * n, size, writing)
  }
  return out
}

function put(out: Buffer, value: number, at: number, size: number, { little }: Writing): void {
  out[little ? 'writeUIntLE' : 'writeUIntBE'](value >>> 0, at, size)
}

/** The elements with some replaced, added or (value undefined) left out, in ascending order. */
export function withElements(
  elements: Elements,
  ...changes: readonly (readonly [tag: number, vr: string, value: Value | undefined])[]
): Elements {
  const all = new Map<number, readonly [number, string, Value | undefined]>(elements.map((e) => [e[0], e]))
  for (const change of changes) all.set(change[0], change)
  return [...all.values()].filter((e) => e[2] !== undefined).sort(([a], [b]) => a - b) as unknown as Elements
}

/** A file whose pixels are fragments, after an empty offset table or the one given. */
export function encapsulatedFile(
  elements: Elements,
  parts: readonly Uint8Array[],
  syntax: string,
  table: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const writing = { explicit: true, little: true, delimited: false }
  const fragments = [table, ...parts].flatMap((part) => {
    const body = Buffer.concat([part, Buffer.alloc(part.length % 2)])
    return [itemHead(0xfffee000, body.length, writing), body]
  })
  return Buffer.concat([
    dicomFile(withElements(elements, [0x7fe00010, 'OB', undefined]), { syntax }),
    Uint8Array.of(0xe0, 0x7f, 0x10, 0, 0x4f, 0x42, 0, 0, 255, 255, 255, 255), // PixelData OB, of undefined length
    ...fragments,
    itemHead(0xfffee0dd, 0, writing),
  ])
}

/** One slice. */
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

/** The elements of one CT slice. */
export function sliceElements(recipe: SliceRecipe): Elements {
  const { rows, columns, pixels, position, instance = 1, slope = 1, intercept = 0 } = recipe
  const { orientation = [1, 0, 0, 0, 1, 0], pixelSpacing = [1, 1], series = '1.2.3.4', modality = 'CT' } = recipe
  return [
    [0x00080016, 'UI', sopClasses.ct],
    [0x00080018, 'UI', `${series}.${instance}`],
    [0x00080060, 'CS', modality],
    [0x0020000d, 'UI', '1.2.3.1'],
    [0x0020000e, 'UI', series],
    [0x00200013, 'IS', String(instance)],
    [0x00200032, 'DS', position.join('\\')],
    [0x00200037, 'DS', orientation.join('\\')],
    ...pixelElements(rows, columns, 16, true),
    [0x00280030, 'DS', pixelSpacing.join('\\')],
    [0x00281052, 'DS', String(intercept)],
    [0x00281053, 'DS', String(slope)],
    [0x7fe00010, 'OW', [...pixels]],
  ].sort(([a], [b]) => Number(a) - Number(b)) as unknown as Elements
}

export function dicomSlice(recipe: SliceRecipe): Uint8Array {
  return dicomFile(sliceElements(recipe))
}

/** A multi-frame image or segmentation, with functional groups. */
export interface FramesRecipe {
  sopClass?: string
  rows: number
  columns: number
  /** Bits of a pixel (default 16). */
  bits?: number
  pixels: readonly number[] | Uint8Array
  /** Of each frame (LPS, mm). */
  positions: readonly (readonly number[])[]
  orientation?: readonly number[]
  pixelSpacing?: readonly [number, number]
  /** What the pixel measures hold beside the pixels' spacing. */
  measures?: Elements
  /** More functional groups of frame n, and of all frames; in ascending order. */
  group?: (n: number) => Elements
  shared?: Elements
  /** More elements of the data set. */
  more?: Elements
}

export function frameElements(recipe: FramesRecipe): Elements {
  const { rows, columns, positions, pixels, bits = 16, sopClass = sopClasses.enhancedCt, more = [] } = recipe
  const { orientation = [1, 0, 0, 0, 1, 0], pixelSpacing = [0.9, 0.7], measures = [], shared = [] } = recipe
  const orient: Elements = [[0x00200037, 'DS', orientation.join('\\')]]
  const pixelMeasures: Elements = [...measures, [0x00280030, 'DS', pixelSpacing.join('\\')]]
  const frame = (position: readonly number[], n: number): Elements =>
    withElements(recipe.group?.(n) ?? [], [0x00209113, 'SQ', [[[0x00200032, 'DS', position.join('\\')]]]])
  return withElements(
    [
      [0x00080016, 'UI', sopClass],
      [0x0020000e, 'UI', '1.2.3.4'],
      ...pixelElements(rows, columns, bits, false),
      [0x00280008, 'IS', String(positions.length)],
      [0x52009229, 'SQ', [withElements(shared, [0x00209116, 'SQ', [orient]], [0x00289110, 'SQ', [pixelMeasures]])]],
      [0x52009230, 'SQ', positions.map(frame)],
      [0x7fe00010, bits > 8 ? 'OW' : 'OB', pixels],
    ],
    ...more,
  )
}

/** Segments by number and name, and which one each frame shows: for `frameElements`. */
export function segmentsOf(
  names: Readonly<Record<number, string>>,
  owners: readonly number[],
  type = 'BINARY',
): Pick<FramesRecipe, 'sopClass' | 'bits' | 'group' | 'more'> {
  const segments = Object.entries(names).map(
    ([number, name]): Elements => [
      [0x00620004, 'US', [Number(number)]],
      [0x00620005, 'LO', name],
    ],
  )
  return {
    sopClass: type === 'LABELMAP' ? sopClasses.labelMap : sopClasses.segmentation,
    bits: type === 'BINARY' ? 1 : 8,
    ...(type !== 'LABELMAP' && { group: (n) => [[0x0062000a, 'SQ', [[[0x0062000b, 'US', [owners[n]]]]]]] }),
    more: [
      [0x00620001, 'CS', type],
      [0x00620002, 'SQ', segments],
    ],
  }
}

/** Bits packed as BINARY segmentations pack them, the lowest of a byte first. */
export function packBits(bits: readonly number[]): Uint8Array {
  const out = new Uint8Array(Math.ceil(bits.length / 8))
  for (const [n, bit] of bits.entries()) out[n >> 3] |= bit << (n & 7)
  return out
}

function pixelElements(rows: number, columns: number, bits: number, signed: boolean): Elements {
  return [
    [0x00280002, 'US', [1]],
    [0x00280004, 'CS', 'MONOCHROME2'],
    [0x00280010, 'US', [rows]],
    [0x00280011, 'US', [columns]],
    [0x00280100, 'US', [bits]],
    [0x00280101, 'US', [bits]],
    [0x00280102, 'US', [bits - 1]],
    [0x00280103, 'US', [Number(signed)]],
  ]
}
