// Stands in for node:buffer in the page's worker: as much of it as readers use.

const hexDigits = /^[0-9a-f]{2}$/i

export class Buffer extends Uint8Array {
  static alloc(length: number, value = 0): Buffer {
    return new Buffer(length).fill(value)
  }

  static override from(source: unknown, encoding?: unknown): Buffer {
    if (typeof source !== 'string') return new Buffer(source as ArrayBuffer)
    if (encoding === 'hex') return Buffer.#fromHex(source)
    return new Buffer(
      encoding === 'latin1' ? Array.from(source, (c) => c.charCodeAt(0)) : new TextEncoder().encode(source),
    )
  }

  static concat(parts: readonly Uint8Array[]): Buffer {
    const all = new Buffer(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }

  override toString(encoding = 'utf8', start = 0, end = this.length): string {
    const part = this.subarray(start, end)
    if (encoding !== 'latin1' && encoding !== 'ascii') return new TextDecoder().decode(part)
    let text = ''
    // In pieces, because a call takes a limited number of arguments.
    for (let at = 0; at < part.length; at += 8192) text += String.fromCharCode(...part.subarray(at, at + 8192))
    return text
  }

  /** Ends at the first pair that is no number, as Node's does. */
  static #fromHex(text: string): Buffer {
    const pairs = text.match(/../g) ?? []
    const wrong = pairs.findIndex((pair) => !hexDigits.test(pair))
    return new Buffer((wrong < 0 ? pairs : pairs.slice(0, wrong)).map((pair) => Number.parseInt(pair, 16)))
  }
}

/** The longest array that browsers give, roughly: for the words of an error. */
export const constants = { MAX_LENGTH: 2 ** 33 }

/** Readers find it under its global name. */
export function installBuffer(): void {
  Object.assign(globalThis, { Buffer })
}
