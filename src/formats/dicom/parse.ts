import { InputError } from '../../volume/errors.ts'

/** How a data set is written: whether its elements state their VR, and the order of bytes. */
export interface Encoding {
  readonly explicit: boolean
  readonly little: boolean
}

/** A run of bytes in the file. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** One element: where its value lies; for a value of undefined length also the items (or fragments of pixels) in it. */
export interface Element extends Range {
  /** Two letters, or '' in implicit VR. */
  readonly vr: string
  readonly items?: readonly Range[]
}

const item = 0xfffee000
const itemEnd = 0xfffee00d
const sequenceEnd = 0xfffee0dd
const pixelData = 0x7fe00010
const undefinedLength = 0xffffffff

const shortVr = new Set('AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US'.split(' '))
const longVr = new Set('OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' '))

/** Deeper nesting than any object of the standard has; a hostile file could nest without end. */
const maxDepth = 32

/**
 * Finds the elements of a data set (DICOM PS3.5, section 7) in `range`, without looking into values of known length.
 * With `group`, stops before the first element of another group.
 *
 * @returns the elements by tag, and where the data set ended
 * @throws InputError where the bytes are no data set: they end early, or an element has no valid header
 */
export function parseElements(
  bytes: Uint8Array,
  encoding: Encoding,
  range: Range,
  subject: string,
  group?: number,
): { elements: ReadonlyMap<number, Element>; end: number } {
  const parser = new Parser(bytes, encoding, subject)
  const elements = new Map<number, Element>()
  const end = parser.elements(range, 0, (tag, element) => elements.set(tag, element), { group })
  return { elements, end }
}

/** The items of a sequence, whether its length is stated or not. */
export function parseItems(bytes: Uint8Array, encoding: Encoding, element: Element, subject: string): readonly Range[] {
  return element.items ?? new Parser(bytes, encoding, subject).items(element, 0, false).items
}

class Parser {
  private readonly view: DataView
  private readonly bytes: Uint8Array
  private readonly encoding: Encoding
  private readonly subject: string

  constructor(bytes: Uint8Array, encoding: Encoding, subject: string) {
    this.bytes = bytes
    this.encoding = encoding
    this.subject = subject
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Visits elements until the range ends, or the delimiter of an item of undefined length; returns where that is. */
  elements(
    { start, end }: Range,
    depth: number,
    visit: (tag: number, element: Element) => void,
    stop: { group?: number | undefined; delimiter?: boolean } = {},
  ): number {
    let at = start
    let last = -1
    while (at < end || stop.delimiter) {
      this.need(at, 8, end)
      const tag = this.tag(at)
      if (stop.delimiter && tag === itemEnd) return at
      if (stop.group !== undefined && tag >>> 16 !== stop.group) return at
      // Elements stand in ascending order (PS3.5, 7.1); damage to a tag shows here.
      if (tag <= last || tag >= item) this.refuse('its elements are not in order')
      last = tag
      const element = this.element(tag, at, end, depth)
      visit(tag, element)
      at = element.next
    }
    return at
  }

  private element(tag: number, at: number, end: number, depth: number): Element & { next: number } {
    const { explicit } = this.encoding
    const vr = explicit ? String.fromCharCode(this.bytes[at + 4], this.bytes[at + 5]) : ''
    if (explicit && !shortVr.has(vr) && !longVr.has(vr)) this.refuse('an element has an unknown type')
    const short = explicit && shortVr.has(vr)
    const head = explicit && !short ? 12 : 8
    this.need(at, head, end)
    const start = at + head
    const length = short ? this.view.getUint16(at + 6, this.encoding.little) : this.uint32(start - 4)
    if (length !== undefinedLength) {
      this.need(start, length, end)
      return { vr, start, end: start + length, next: start + length }
    }
    const pixels = tag === pixelData && (vr === 'OB' || vr === 'OW')
    if (explicit && !pixels && vr !== 'SQ' && vr !== 'UN') this.refuse('an element has no length')
    // PS3.5, 6.2.2: an element of unknown type and length holds items in implicit VR little endian.
    const parser = vr === 'UN' ? new Parser(this.bytes, { explicit: false, little: true }, this.subject) : this
    const { items, next } = parser.items({ start, end }, depth + 1, true, pixels)
    return { vr, start, end: next, next, items }
  }

  /** The items of a sequence, or the fragments of encapsulated pixel data. */
  items({ start, end }: Range, depth: number, delimited: boolean, fragments = false): { items: Range[]; next: number } {
    if (depth > maxDepth) this.refuse('its sequences are nested too deep')
    const items: Range[] = []
    let at = start
    while (delimited || at < end) {
      this.need(at, 8, end)
      const tag = this.tag(at)
      const length = this.uint32(at + 4)
      at += 8
      if (delimited && tag === sequenceEnd && length === 0) return { items, next: at }
      if (tag !== item) this.refuse('a sequence holds something else than items')
      if (length !== undefinedLength) {
        this.need(at, length, end)
        items.push({ start: at, end: at + length })
        at += length
      } else {
        if (fragments) this.refuse('a fragment of its pixels has no length')
        const itemEnd = this.elements({ start: at, end }, depth, () => {}, { delimiter: true })
        items.push({ start: at, end: itemEnd })
        at = itemEnd + 8
      }
    }
    return { items, next: at }
  }

  private tag(at: number): number {
    const { little } = this.encoding
    return this.view.getUint16(at, little) * 65536 + this.view.getUint16(at + 2, little)
  }

  private uint32(at: number): number {
    return this.view.getUint32(at, this.encoding.little)
  }

  private need(at: number, count: number, end: number): void {
    if (at + count > end) this.refuse('it ends early')
  }

  private refuse(what: string): never {
    throw new InputError(this.subject, `cannot be read as DICOM (${what}): it is truncated or damaged; copy it again`)
  }
}
