/**
 * Reads a pickle's opcodes and their arguments one after the other; RangeError where they end early or are malformed.
 */
export class PickleBytes {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  take(length: number): Uint8Array {
    const at = this.skip(length)
    if (!(at + length <= this.#bytes.length)) throw new RangeError(`${length} bytes at ${at}`)
    return this.#bytes.subarray(at, at + length)
  }

  /** Passes over so many bytes and returns where they begin. */
  skip(length: number): number {
    const at = this.#at
    this.#at += length
    return at
  }

  u8(): number {
    return this.#view.getUint8(this.skip(1))
  }

  u16(): number {
    return this.#view.getUint16(this.skip(2), true)
  }

  i32(): number {
    return this.#view.getInt32(this.skip(4), true)
  }

  u32(): number {
    return this.#view.getUint32(this.skip(4), true)
  }

  u64(): number {
    return Number(this.#view.getBigUint64(this.skip(8), true))
  }

  /** The one number that pickles hold with its largest byte first. */
  f64(): number {
    return this.#view.getFloat64(this.skip(8), false)
  }

  /** A little-endian two's complement integer. No float64 is as large as one of 129 bytes. */
  long(length: number): number {
    if (length > maxLongBytes) throw new RangeError(`an integer of ${length} bytes`)
    const bytes = this.take(length)
    let value = 0n
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i])
    return Number(BigInt.asIntN(8 * Math.max(1, length), value))
  }

  latin1(length: number): string {
    return latin1(this.take(length))
  }

  utf8(length: number): string {
    return utf8Decoder.decode(this.take(length))
  }

  /** Text up to the next line feed. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at)
    if (end < 0) throw new RangeError('a line without an end')
    const text = this.latin1(end - this.#at)
    this.skip(1)
    return text
  }

  /** A line that spells a number. */
  number(): number {
    return spelled(this.line())
  }
}

const maxLongBytes = 1024
const utf8Decoder = new TextDecoder()
/** How Python spells a float or an integer; longer ones are beyond every float64. */
const numberPattern = /^\s*[-+]?(\d{1,2000}\.?\d{0,2000}|\.\d{1,2000})(e[-+]?\d{1,10})?\s*$/i
const notFinite: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
])

/** @throws RangeError for text that spells no number */
export function spelled(text: string): number {
  const special = notFinite.get(text)
  if (special !== undefined) return special
  if (!numberPattern.test(text)) throw new RangeError('text that spells no number')
  return Number(text)
}

function latin1(bytes: Uint8Array): string {
  let text = ''
  // A call takes no more than some ten thousand arguments.
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return text
}
