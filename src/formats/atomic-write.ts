import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InputError } from '../volume/errors.ts'
import { outputFault } from './file-faults.ts'
import { noteWritten, refuseInput } from './inputs.ts'
import { createFolder } from './output-folder.ts'
import { removeLeftovers, temporaryName } from './temporaries.ts'

export interface WriteOptions {
  /** The run rewrites a file of its own, which it may have read before: the protection of inputs is lifted. */
  readonly replace?: boolean
  /** Flushes the bytes to the disk before the file appears, so that it also survives a loss of power. */
  readonly flush?: boolean
}

type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** Temporary paths under way, removed should the process exit before they are renamed. */
const pending = new Set<string>()
let watching = false
let whileBusy: (busy: boolean) => void = () => {}

/**
 * Calls `listener` when the first temporary file appears and when the last is gone, so that a program can turn signals
 * into exits (which remove the files) in between.
 */
export function watchTemporaries(listener: (busy: boolean) => void): void {
  whileBusy = listener
}

/**
 * Writes a file so that readers see the old one or the finished one, never a part: the bytes go to a temporary file in
 * the same folder, which is then renamed. On any failure the temporary file is removed; those that killed runs left in
 * the folder are removed too. Folders that are missing are created.
 *
 * @throws InputError where the path cannot be written to or is an input of this run (see `protectInputs`), OutputError
 * where the machine fails (disk full)
 */
export async function writeAtomically(path: string, pieces: Pieces, options: WriteOptions = {}): Promise<void> {
  await withTemporary(path, options, async (temporary) => {
    await writePieces(temporary, pieces, options)
    await rename(temporary, path)
    noteWritten(path)
  })
}

/** `writeAtomically` for text, as UTF-8. */
export async function writeTextAtomically(path: string, text: string, options: WriteOptions = {}): Promise<void> {
  await writeAtomically(path, [new TextEncoder().encode(text)], options)
}

/**
 * Like `writeAtomically` for formats that write files of their own: `write` fills a temporary folder beside `path` and
 * says how its files are to be named in the folder of `path`; the one that is to become `path` is renamed last.
 */
export async function writeFolderAtomically(
  path: string,
  write: (folder: string) => Promise<readonly (readonly [from: string, to: string])[]>,
): Promise<void> {
  await withTemporary(path, {}, async (temporary) => {
    mkdirSync(temporary)
    const names = [...(await write(temporary))].sort(
      (a, b) => Number(a[1] === basename(path)) - Number(b[1] === basename(path)),
    )
    const moves = names.map(([from, to]) => ({ from: join(temporary, from), to: join(dirname(path), to) }))
    for (const { to } of moves) refuseInput(to, path)
    for (const { from, to } of moves) {
      await rename(from, to)
      noteWritten(to)
    }
    await rm(temporary, { recursive: true })
  })
}

async function withTemporary(
  path: string,
  { replace = false }: WriteOptions,
  use: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(path), temporaryName(basename(path)))
  if (!watching) {
    watching = true
    process.on('exit', () => {
      for (const path of pending) rmSync(path, { recursive: true, force: true })
    })
  }
  try {
    if (!replace) refuseInput(path)
    await refuseWhatIsNoFile(path)
    await createFolder(dirname(path))
    await removeLeftovers(dirname(path))
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

/** To rename a file over `/dev/null` would replace the device. */
async function refuseWhatIsNoFile(path: string): Promise<void> {
  const about = await stat(path).catch(() => undefined)
  if (about?.isDirectory()) throw new InputError(path, 'is a folder; give a file name')
  if (about?.isFile() === false) throw new InputError(path, 'is a pipe or a device; give a file name')
}

/** Writes a new file, piece by piece; for use in a temporary place. */
export async function writePieces(path: string, pieces: Pieces, { flush = false }: WriteOptions = {}): Promise<void> {
  // Made at once: a file that a thread makes later, after a signal has ended the run, nobody would remove.
  closeSync(openSync(path, 'wx'))
  const file = await open(path, 'r+')
  try {
    for await (const piece of pieces) {
      for (let done = 0; done < piece.length; ) {
        // A write of 2 GiB or more fails on some systems.
        const { bytesWritten } = await file.write(piece, done, Math.min(piece.length - done, 1 << 30))
        done += bytesWritten
      }
    }
    if (flush) await file.sync()
  } finally {
    await file.close()
  }
}
