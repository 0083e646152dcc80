import { realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { InputError } from '../volume/errors.ts'

/** The files that this process has read or is going to read, by everything that identifies them. */
const inputs = new Map<string, string>()
/** Files that this process wrote itself: reading them back does not make them inputs. */
const ownFiles = new Set<string>()
let protecting = false

/**
 * From now on, every file that is read counts as an input, and no output may replace it (see `refuseInput`). The
 * command line switches this on first of all; a program that uses the library decides for itself what it overwrites.
 */
export function protectInputs(): void {
  protecting = true
}

/** Notes that a file was read, where inputs are protected. Every reader of files calls this. */
export function noteRead(path: string): void {
  if (protecting && !ownFiles.has(realPath(path))) registerInput(path)
}

/** Protects a file that is going to be read: outputs can then be checked before any work is done. */
export function registerInput(path: string): void {
  for (const identity of identities(path)) if (inputOf(identity) === undefined) inputs.set(identity, path)
}

/**
 * Throws InputError where `target` is a registered input, by whatever name or link; `output` is what the user named.
 */
export function refuseInput(target: string, output = target): void {
  for (const identity of identities(target)) {
    const input = inputOf(identity)
    if (input !== undefined) throw new InputError(output, `would overwrite the input ${input}; give another output`)
  }
}

/** The system gives the number of a deleted file to a new one: the input must still be there and have it. */
function inputOf(identity: string): string | undefined {
  const input = inputs.get(identity)
  return input !== undefined && identities(input).includes(identity) ? input : undefined
}

/** Notes that this process has written a file. */
export function noteWritten(path: string): void {
  ownFiles.add(realPath(path))
}

/** What two paths share if they lead to one file: the path without links, and the file's number (for hard links). */
function identities(path: string): string[] {
  const real = realPath(path)
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    // Some file systems number no files.
    return ino === 0n ? [real] : [real, `inode ${dev}:${ino}`]
  } catch {
    return [real]
  }
}

/** The path with all links resolved, as far down as it exists. */
function realPath(path: string): string {
  const full = resolve(path)
  try {
    return realpathSync(full)
  } catch {
    const folder = dirname(full)
    return folder === full ? full : join(realPath(folder), basename(full))
  }
}
