import { readFileSync, type Stats, statSync } from 'node:fs'
import { type FileHandle, open, readFile, stat } from 'node:fs/promises'
import { InputError } from '../volume/errors.ts'
import { inputFault } from './file-faults.ts'
import { noteRead } from './inputs.ts'

/**
 * A file's bytes. As every reader here, it refuses folders, pipes, sockets and devices, on which reading would wait for
 * ever, and protects the file from the outputs of the same run.
 *
 * @throws InputError where the file is missing, may not be read or is no regular file
 */
export async function readRegularFile(path: string): Promise<Buffer> {
  await requireRegularFile(path)
  return readFile(path).catch((error) => {
    throw inputFault(error, path)
  })
}

/** `readRegularFile` for the few places that cannot wait. */
export function readRegularFileSync(path: string): Buffer {
  try {
    accept(statSync(path), path)
    return readFileSync(path)
  } catch (error) {
    throw inputFault(error, path)
  }
}

/**
 * A file that halfdice wrote and goes on writing (a checkpoint, a log): read as others are, but no input, so that it
 * may be replaced; undefined where there is none. Throws InputError as `readRegularFile` does.
 */
export async function readOwnFile(path: string): Promise<Buffer | undefined> {
  try {
    refuseIrregular(await stat(path), path)
    return await readFile(path)
  } catch (error) {
    return missing(error, path)
  }
}

/** `readOwnFile` for the few places that cannot wait. */
export function readOwnFileSync(path: string): Buffer | undefined {
  try {
    refuseIrregular(statSync(path), path)
    return readFileSync(path)
  } catch (error) {
    return missing(error, path)
  }
}

function missing(error: unknown, path: string): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
  throw inputFault(error, path)
}

/** Opens a file for reading, with its size. Throws InputError as `readRegularFile` does. */
export async function openRegularFile(path: string): Promise<{ readonly file: FileHandle; readonly size: number }> {
  const { size } = await requireRegularFile(path)
  const file = await open(path, 'r').catch((error) => {
    throw inputFault(error, path)
  })
  return { file, size }
}

/** For a file that another library opens. Throws InputError as `readRegularFile` does. */
export async function requireRegularFile(path: string): Promise<Stats> {
  const about = await stat(path).catch((error) => {
    throw inputFault(error, path)
  })
  return accept(about, path)
}

function accept(about: Stats, path: string): Stats {
  refuseIrregular(about, path)
  noteRead(path)
  return about
}

/** Before opening: to open a pipe without a writer waits for ever. */
function refuseIrregular(about: Stats, path: string): void {
  if (about.isDirectory()) throw new InputError(path, 'is a folder; give a file')
  if (!about.isFile()) {
    const kind = about.isFIFO() ? 'pipe' : about.isSocket() ? 'socket' : 'device'
    throw new InputError(path, `is a ${kind}, not a regular file; save its data in a file and give that`)
  }
}
