// Stands in for node:fs in the page's worker: the files that the user gave, for reading.
import { aboutPath, entriesOf, fileAt, isFolder, normal } from './files.ts'

export function existsSync(path: string): boolean {
  try {
    aboutPath(path)
    return true
  } catch {
    return false
  }
}

export const statSync = aboutPath
export const lstatSync = aboutPath
export const realpathSync = normal

export function readdirSync(path: string, options?: { readonly withFileTypes?: boolean }) {
  const entries = entriesOf(path)
  if (!options?.withFileTypes) return entries.map(({ name }) => name)
  return entries.map(({ name, folder }) => ({
    name,
    parentPath: path,
    isDirectory: () => folder,
    isFile: () => !folder,
    isSymbolicLink: () => false,
  }))
}

/** Workers may read a file at once; the page itself may not, and does not. */
export function readFileSync(path: string, encoding?: string): Uint8Array | string {
  const reader = new FileReaderSync()
  const blob = fileAt(path)
  return encoding ? reader.readAsText(blob) : Buffer.from(reader.readAsArrayBuffer(blob))
}

declare class FileReaderSync {
  readAsText(blob: Blob): string
  readAsArrayBuffer(blob: Blob): ArrayBuffer
}

/** A part of a file as a stream; see `pipeline` in stream.ts. */
export class FileStream {
  readonly blob: Blob
  #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined

  constructor(blob: Blob) {
    this.blob = blob
  }

  on(): this {
    return this
  }

  destroy(): void {
    this.#reader?.cancel().catch(() => undefined)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    this.#reader = this.blob.stream().getReader()
    for (;;) {
      const { done, value } = await this.#reader.read()
      if (done) return
      yield value
    }
  }
}

/** `end` is the last byte, as in Node. */
export function createReadStream(path: string, options: { readonly start?: number; readonly end?: number } = {}) {
  const { start = 0, end = Number.POSITIVE_INFINITY } = options
  const blob = fileAt(path)
  return new FileStream(blob.slice(start, Math.min(blob.size, end + 1)))
}

export const constants = {}

/** What only writers need, and handles of open files. */
function refuse(): never {
  throw new Error('a page has no such files')
}

export {
  isFolder,
  refuse as accessSync,
  refuse as closeSync,
  refuse as mkdirSync,
  refuse as openSync,
  refuse as readlinkSync,
  refuse as readSync,
  refuse as rmSync,
}
