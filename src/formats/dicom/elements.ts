import { explicitLittle } from './signature.ts'

/** An element as explicit VR little endian writes it: its value is text, bytes, numbers, or the items of a sequence. */
export type NewElement =
  | { readonly tag: number; readonly vr: TextVr; readonly value: string }
  | { readonly tag: number; readonly vr: 'US' | 'UL' | 'AT'; readonly value: readonly number[] }
  | { readonly tag: number; readonly vr: 'OB'; readonly value: Uint8Array }
  | { readonly tag: number; readonly vr: 'SQ'; readonly value: readonly (readonly NewElement[])[] }

type TextVr = 'AE' | 'CS' | 'DA' | 'DS' | 'IS' | 'LO' | 'LT' | 'PN' | 'SH' | 'ST' | 'TM' | 'UI'

/** A DICOM file (PS3.10): preamble, meta information, and the elements in ascending order, in pieces. */
export function dicomFile(
  about: { readonly sopClass: string; readonly sopInstance: string; readonly syntax?: string },
  body: readonly Uint8Array[],
): Uint8Array[] {
  const meta = [
    element({ tag: 0x00020001, vr: 'OB', value: Uint8Array.of(0, 1) }),
    element({ tag: 0x00020002, vr: 'UI', value: about.sopClass }),
    element({ tag: 0x00020003, vr: 'UI', value: about.sopInstance }),
    element({ tag: 0x00020010, vr: 'UI', value: about.syntax ?? explicitLittle }),
    element({ tag: 0x00020012, vr: 'UI', value: implementation }),
  ]
  const length = meta.reduce((sum, part) => sum + part.length, 0)
  const head = [new Uint8Array(128), Buffer.from('DICM'), element({ tag: 0x00020000, vr: 'UL', value: [length] })]
  return [...head, ...meta, ...body]
}

/** Stands for this program: a number below the root of UUIDs (PS3.5, B.2), drawn once. */
const implementation = '2.25.210482953127480461958120377561902348817'

/** The elements of a data set or of an item, put in ascending order. */
export function elements(all: readonly NewElement[]): Uint8Array {
  return Buffer.concat(all.toSorted((a, b) => a.tag - b.tag).map(element))
}

function element({ tag, vr, value }: NewElement): Uint8Array {
  const bytes = vr === 'SQ' ? Buffer.concat(value.map((items) => item(elements(items)))) : bytesOf(vr, value)
  const padding = Buffer.alloc(bytes.length % 2, vr === 'UI' || vr === 'OB' ? 0 : 0x20)
  return Buffer.concat([elementHead(tag, vr, bytes.length + padding.length), bytes, padding])
}

function bytesOf(vr: Exclude<NewElement['vr'], 'SQ'>, value: string | Uint8Array | readonly number[]): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return value
  const size = vr === 'US' ? 2 : 4
  const out = new DataView(new ArrayBuffer(size * value.length))
  for (const [n, number] of value.entries()) {
    if (vr === 'US') out.setUint16(2 * n, number, true)
    else if (vr === 'UL') out.setUint32(4 * n, number, true)
    else {
      // A tag is two numbers of 16 bits: its group, then its element.
      out.setUint16(4 * n, number >>> 16, true)
      out.setUint16(4 * n + 2, number & 0xffff, true)
    }
  }
  return new Uint8Array(out.buffer)
}

/** Tag, VR and length; the value follows. */
export function elementHead(tag: number, vr: string, length: number): Uint8Array {
  const long = vr === 'OB' || vr === 'SQ'
  const head = new DataView(new ArrayBuffer(long ? 12 : 8))
  head.setUint16(0, tag >>> 16, true)
  head.setUint16(2, tag & 0xffff, true)
  head.setUint8(4, vr.charCodeAt(0))
  head.setUint8(5, vr.charCodeAt(1))
  if (long) head.setUint32(8, length, true)
  else head.setUint16(6, length, true)
  return new Uint8Array(head.buffer)
}

/** An item of a sequence, or a fragment of pixels. */
export function item(bytes: Uint8Array, tag = 0xfffee000): Uint8Array {
  const head = new DataView(new ArrayBuffer(8))
  head.setUint16(0, tag >>> 16, true)
  head.setUint16(2, tag & 0xffff, true)
  head.setUint32(4, bytes.length + (bytes.length % 2), true)
  return Buffer.concat([new Uint8Array(head.buffer), bytes, new Uint8Array(bytes.length % 2)])
}
