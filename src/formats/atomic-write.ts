import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InputError } from '../volume/errors.ts'
import { outputFault } from './file-faults.ts'

/** Temporary paths under way, removed should the process exit before they are renamed. */
const pending = new Set<string>()
let watching = false
let whileBusy: (busy: boolean) => void = () => {}

/**
 * Calls `listener` when the first temporary file appears and when the last is gone, so that a program can turn signals into
 * exits (which remove the files) in between.
 */
export function watchTemporaries(listener: (busy: boolean) => void): void {
  whileBusy = listener
}

/**
 * Writes a file so that readers see the old one or the finished one, never a part: the bytes go to a temporary file in
 * the same folder, which is then renamed. On any failure the temporary file is removed.
 *
 * @throws InputError where the path cannot be written to, OutputError where the machine fails (disk full)
 */
export async function writeAtomically(path: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  await withTemporary(path, async (temporary) => {
    await writePieces(temporary, pieces)
    await rename(temporary, path)
  })
}

/**
 * Like `writeAtomically` for formats that write files of their own: `write` fills a temporary folder beside `path` and says
 * how its files are to be named in the folder of `path`; the one that is to become `path` is renamed last.
 */
export async function writeFolderAtomically(
  path: string,
  write: (folder: string) => Promise<readonly (readonly [from: string, to: string])[]>,
) {
  await withTemporary(path, async (temporary) => {
    await mkdir(temporary)
    const names = [...(await write(temporary))].sort(
      (a, b) => Number(a[1] === basename(path)) - Number(b[1] === basename(path)),
    )
    for (const [from, to] of names) await rename(join(temporary, from), join(dirname(path), to))
    await rm(temporary, { recursive: true })
  })
}

async function withTemporary(path: string, use: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`)
  if (!watching) {
    watching = true
    process.on('exit', () => {
      for (const path of pending) rmSync(path, { recursive: true, force: true })
    })
  }
  try {
    if (await isFolder(path)) throw new InputError(path, 'is a folder; give a file name')
    pending.add(temporary)
    if (pending.size === 1) whileBusy(true)
    await use(temporary)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {})
    throw outputFault(error, path)
  } finally {
    if (pending.delete(temporary) && pending.size === 0) whileBusy(false)
  }
}

async function isFolder(path: string): Promise<boolean> {
  const about = await stat(path).catch(() => undefined)
  return about?.isDirectory() ?? false
}

/** Writes a new file, piece by piece; for use in a temporary place. */
export async function writePieces(path: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  const file = await open(path, 'wx')
  try {
    for await (const piece of pieces) {
      for (let done = 0; done < piece.length; ) {
        // A write of 2 GiB or more fails on some systems.
        const { bytesWritten } = await file.write(piece, done, Math.min(piece.length - done, 1 << 30))
        done += bytesWritten
      }
    }
  } finally {
    await file.close()
  }
}
