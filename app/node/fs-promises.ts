// Stands in for node:fs/promises in the page's worker.
import { aboutPath, fileAt, normal } from './files.ts'
import { readdirSync } from './fs.ts'

export async function stat(path: string) {
  return aboutPath(path)
}

export async function readFile(path: string, encoding?: string): Promise<Uint8Array | string> {
  const blob = fileAt(path)
  return encoding ? blob.text() : Buffer.from(await blob.arrayBuffer())
}

export async function readdir(path: string, options?: { readonly withFileTypes?: boolean }) {
  return readdirSync(path, options)
}

export async function realpath(path: string): Promise<string> {
  return normal(path)
}

/** An open file: `read` follows the file where no position is given. */
export async function open(path: string) {
  const blob = fileAt(path)
  let at = 0
  return {
    stat: async () => aboutPath(path),
    close: async () => {},
    async read(target: Uint8Array, offset = 0, length = target.length - offset, position: number | null = null) {
      const from = position ?? at
      const bytes = new Uint8Array(await blob.slice(from, from + length).arrayBuffer())
      target.set(bytes, offset)
      if (position === null) at += bytes.length
      return { bytesRead: bytes.length, buffer: target }
    },
  }
}

async function refuse(): Promise<never> {
  throw new Error('a page writes no files')
}

export {
  refuse as copyFile,
  refuse as link,
  refuse as mkdir,
  refuse as mkdtemp,
  refuse as rename,
  refuse as rm,
  refuse as rmdir,
  refuse as symlink,
  refuse as writeFile,
}
