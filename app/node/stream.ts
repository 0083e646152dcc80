// Stands in for node:stream in the page's worker.
import { FileStream } from './fs.ts'
import type { Unpacking } from './zlib.ts'

/** What browsers say of packed data that end early; all other faults are damage. */
const truncated = /truncat|unexpected end|incomplete/i

/** The blocks of a bgzip file, each a gzip of its own that says how long it is; any other file is one block. */
async function* blocksOf(blob: Blob): AsyncGenerator<Blob> {
  for (let at = 0; at < blob.size; ) {
    const head = new DataView(await blob.slice(at, at + 18).arrayBuffer())
    // Flag 4 announces extra fields, of which "BC" is bgzip's.
    const isBlock = head.byteLength === 18 && head.getUint8(3) === 4 && head.getUint16(12) === 0x4243
    const end = isBlock ? at + head.getUint16(16, true) + 1 : blob.size
    yield blob.slice(at, end)
    at = end
  }
}

/** A file that is unpacked as it is read. */
class UnpackedStream extends FileStream {
  readonly #unpacking: Unpacking
  #unpacked: ReadableStreamDefaultReader<Uint8Array> | undefined

  constructor(blob: Blob, unpacking: Unpacking) {
    super(blob)
    this.#unpacking = unpacking
  }

  override destroy(): void {
    this.#unpacked?.cancel().catch(() => undefined)
  }

  override async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      // The browser refuses what lies behind the first block.
      for await (const block of this.#unpacking.format === 'gzip' ? blocksOf(this.blob) : [this.blob]) {
        this.#unpacked = block.stream().pipeThrough(new DecompressionStream(this.#unpacking.format)).getReader()
        for (;;) {
          const { done, value } = await this.#unpacked.read()
          if (done) break
          yield value
        }
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      throw Object.assign(new Error(error.message), {
        code: truncated.test(error.message) ? 'Z_BUF_ERROR' : 'Z_DATA_ERROR',
      })
    }
    this.#unpacking.bytesWritten = this.blob.size
  }
}

export function pipeline(source: FileStream, unpacking: Unpacking): FileStream {
  return new UnpackedStream(source.blob, unpacking)
}
