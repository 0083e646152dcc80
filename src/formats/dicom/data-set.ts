import { InputError } from '../../volume/errors.ts'
import { attributeTags, type Keyword } from './attributes.ts'
import { type Element, type Encoding, parseElements, parseItems, type Range } from './parse.ts'

/** A DICOM number in decimal digits (PS3.5, table 6.2-1: DS and IS). */
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/**
 * The attributes of one data set, or of one item of a sequence, read by keyword and checked against `attributeTags`.
 */
export class DataSet {
  private readonly bytes: Uint8Array
  private readonly encoding: Encoding
  private readonly elements: ReadonlyMap<number, Element>
  private readonly subject: string

  constructor(bytes: Uint8Array, encoding: Encoding, range: Range, subject: string) {
    this.bytes = bytes
    this.encoding = encoding
    this.subject = subject
    this.elements = parseElements(bytes, encoding, range, subject).elements
  }

  /** Whether the attribute is there and has a value. */
  has(keyword: Keyword): boolean {
    return this.find(keyword) !== undefined
  }

  /** Text without its padding, or undefined where the attribute is absent or empty. */
  text(keyword: Keyword, encoding = 'latin1'): string | undefined {
    const element = this.find(keyword)
    if (!element) return undefined
    const text = new TextDecoder(encoding).decode(this.bytes.subarray(element.start, element.end))
    return text.replace(/^ +|[ \0]+$/g, '') || undefined
  }

  /** The numbers of an attribute, or undefined where it is absent or empty. `count` is how many there must be. */
  numbers(keyword: Keyword, count: number): readonly number[] | undefined {
    const element = this.find(keyword)
    if (!element) return undefined
    const values = this.decode(keyword, element)
    if (values.length !== count || !values.every(Number.isFinite)) {
      throw new InputError(
        this.subject,
        `its ${keyword} is not ${count === 1 ? 'a number' : `${count} numbers`}; export it again`,
      )
    }
    return values
  }

  /** One number, or undefined where the attribute is absent or empty. */
  number(keyword: Keyword): number | undefined {
    return this.numbers(keyword, 1)?.[0]
  }

  /** One number that the file must state. */
  require(keyword: Keyword): number {
    const value = this.number(keyword)
    if (value === undefined) throw new InputError(this.subject, `has no ${keyword}; export it again`)
    return value
  }

  /** The items of a sequence; none where it is absent. */
  items(keyword: Keyword): readonly DataSet[] {
    const element = this.find(keyword)
    if (!element) return []
    // A sequence of unknown type is written in implicit VR little endian, whatever surrounds it.
    const encoding = element.vr === 'UN' ? { explicit: false, little: true } : this.encoding
    return parseItems(this.bytes, encoding, element, this.subject).map(
      (range) => new DataSet(this.bytes, encoding, range, this.subject),
    )
  }

  /** The bytes of the pixels: one run, or the fragments of encapsulated data, the offset table first. */
  pixelData(): { vr: string; bytes: Uint8Array } | { fragments: readonly Uint8Array[] } | undefined {
    const element = this.elements.get(attributeTags.PixelData[0])
    if (!element) return undefined
    const view = ({ start, end }: Range) => this.bytes.subarray(start, end)
    return element.items ? { fragments: element.items.map(view) } : { vr: element.vr, bytes: view(element) }
  }

  private find(keyword: Keyword): Element | undefined {
    const [tag, vr] = attributeTags[keyword]
    const element = this.elements.get(tag)
    if (!element || element.start === element.end) return undefined
    const signed = vr === 'US' && element.vr === 'SS'
    if (element.vr !== '' && element.vr !== 'UN' && element.vr !== vr && !signed) {
      throw new InputError(
        this.subject,
        `its ${keyword} is of type ${element.vr}, not ${vr}: it is damaged; copy it again`,
      )
    }
    return element
  }

  private decode(keyword: Keyword, { vr: stated, start, end }: Element): number[] {
    const vr = stated === '' || stated === 'UN' ? attributeTags[keyword][1] : stated
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + start, end - start)
    const little = this.encoding.little
    const every = (size: number, read: (at: number) => number) =>
      Array.from({ length: view.byteLength / size }, (_, n) => read(n * size))
    if (vr === 'US') return every(2, (at) => view.getUint16(at, little))
    if (vr === 'SS') return every(2, (at) => view.getInt16(at, little))
    if (vr === 'UL') return every(4, (at) => view.getUint32(at, little))
    if (vr === 'FD') return every(8, (at) => view.getFloat64(at, little))
    const parts = (this.text(keyword) ?? '').split('\\')
    return parts.map((part) => (decimal.test(part.trim()) ? Number(part) : Number.NaN))
  }
}
