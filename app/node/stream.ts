// Stands in for node:stream in the page's worker.
import { FileStream } from './fs.ts'
import type { Unpacking } from './zlib.ts'

/** What browsers say of packed data that end early; all other faults are damage. */
const truncated = /truncat|unexpected end|incomplete/i

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
    this.#unpacked = this.blob.stream().pipeThrough(new DecompressionStream(this.#unpacking.format)).getReader()
    try {
      for (;;) {
        const { done, value } = await this.#unpacked.read()
        if (done) break
        yield value
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
