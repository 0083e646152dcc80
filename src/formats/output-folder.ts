import { accessSync, constants, type Stats, statSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { InputError } from '../volume/errors.ts'
import { outputFault } from './file-faults.ts'

/** Creates a folder and those above it. Throws InputError or OutputError where that fails. */
export async function createFolder(path: string): Promise<void> {
  const full = resolve(path)
  const there = await stat(full).catch(() => undefined)
  if (there?.isDirectory()) return
  if (there !== undefined) throw new InputError(path, 'is a file, not a folder; give another output folder')
  const above = dirname(full)
  if (above !== full) await createFolder(above)
  try {
    // One by one: Node's own `recursive` calls a read-only disk a missing folder.
    await mkdir(full)
  } catch (error) {
    // Another run may have been faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw outputFault(error, path)
  }
}

/** Checks that `path` is a folder or can become one, and can be written in; creates nothing. */
export function checkFolder(path: string): void {
  const full = resolve(path)
  for (let at = full; ; at = dirname(at)) {
    const there = statOf(at)
    if (there === undefined && at !== dirname(at)) continue
    if (there?.isDirectory() === false) {
      throw new InputError(path, `${at === full ? 'is' : `${at} is`} a file, not a folder; give another output folder`)
    }
    try {
      accessSync(at, constants.W_OK)
    } catch (error) {
      throw outputFault(error, path)
    }
    return
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}
