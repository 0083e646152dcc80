import { deflated } from './gzip-write.ts'

/** The pieces of a zlib stream (RFC 1950) from slabs of bytes, compressed on several threads. */
export async function zlibPieces(slabs: Iterable<Uint8Array>): Promise<Uint8Array[]> {
  const checksum = new Adler32()
  const summed = function* () {
    for (const slab of slabs) {
      checksum.add(slab)
      yield slab
    }
  }
  // Deflate with a window of 32 KiB, default level; the second byte makes the pair a multiple of 31.
  const pieces: Uint8Array[] = [Uint8Array.of(0x78, 0x9c)]
  for await (const piece of deflated(summed())) pieces.push(piece)
  const end = new DataView(new ArrayBuffer(4))
  end.setUint32(0, checksum.value, false)
  pieces.push(new Uint8Array(end.buffer))
  return pieces
}

/** The checksum of zlib. */
class Adler32 {
  #a = 1
  #b = 0

  add(bytes: Uint8Array): void {
    // 3800 bytes: the most after which b, at 255 a byte, still fits a small integer (31 bits).
    for (let at = 0; at < bytes.length; at += 3800) {
      const end = Math.min(at + 3800, bytes.length)
      let [a, b] = [this.#a, this.#b]
      for (let n = at; n < end; n++) {
        a += bytes[n]
        b += a
      }
      this.#a = a % 65521
      this.#b = b % 65521
    }
  }

  get value(): number {
    return this.#b * 65536 + this.#a
  }
}
