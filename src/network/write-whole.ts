import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { OutputError } from '../volume/errors.ts'

/**
 * Writes a file under a temporary name, flushes it to the disk and renames it. On any failure the temporary file is
 * removed, and so are, in the end, those that killed processes left of the same target.
 *
 * @throws OutputError where the system refuses (disk full, no permission)
 */
export async function writeWhole(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    await writeAndFlush(temporary, pieces)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw writeFault(error, path)
  }
  await removeStale(path)
}

/** Removes what killed processes left of a file that they were writing. */
export async function removeStale(path: string): Promise<void> {
  const folder = dirname(path)
  const start = `${basename(path)}.`
  // A folder that cannot be listed is no reason to fail: the file itself is written.
  for (const name of await readdir(folder).catch(() => [])) {
    const writer = name.startsWith(start) ? /^(\d+)\.tmp$/.exec(name.slice(start.length)) : null
    if (writer === null) continue
    const temporary = join(folder, name)
    if (await isStale(temporary, Number(writer[1]))) await rm(temporary, { force: true }).catch(() => {})
  }
}

/** No write takes an hour: by then, another process has got the writer's number. */
const LONGEST_WRITE_MS = 3_600_000

async function isStale(temporary: string, writer: number): Promise<boolean> {
  if (writer === process.pid || !isAlive(writer)) return true
  const about = await stat(temporary).catch(() => undefined)
  return about !== undefined && Date.now() - about.mtimeMs > LONGEST_WRITE_MS
}

function isAlive(process_: number): boolean {
  try {
    // Signal 0 only asks.
    return process.kill(process_, 0)
  } catch (error) {
    // Another user's process may not be signalled, but lives.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function writeAndFlush(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'w')
  try {
    for (const piece of pieces) await file.writeFile(piece)
    await file.sync()
  } finally {
    await file.close()
  }
}

function writeFault(error: unknown, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined) return error
  // Node's messages name the temporary file, or none: `ENOSPC: no space left on device, write`.
  const reason = message.split(',')[0]
  return new OutputError(path, `cannot be written (${reason}); check the disk and the folder, then run again`)
}
