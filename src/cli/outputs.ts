import { existsSync, mkdirSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { InputError } from '../volume/errors.ts'

/** Image formats by file name, the longest ending first; the second file of a two-file format stands beside it. */
const imageEndings = [
  '.nii.gz',
  '.img.gz',
  '.hdr.gz',
  '.nii',
  '.hdr',
  '.img',
  '.nrrd',
  '.nhdr',
  '.mha',
  '.mhd',
] as const
const companions: Readonly<Record<string, readonly string[]>> = {
  '.hdr': ['.hdr', '.img'],
  '.img': ['.hdr', '.img'],
  '.hdr.gz': ['.hdr.gz', '.img.gz'],
  '.img.gz': ['.hdr.gz', '.img.gz'],
  '.nhdr': ['.nhdr', '.raw', '.raw.gz'],
  '.mhd': ['.mhd', '.raw', '.zraw'],
}

/** The image ending of a file name (`.nii.gz`), or undefined where it names no image format. */
export function imageEnding(path: string): string | undefined {
  const name = basename(path).toLowerCase()
  return imageEndings.find((ending) => name.endsWith(ending) && name.length > ending.length)
}

/** A file's name without folder and image (or any other last) ending: `liver` for `a/liver.nii.gz`. */
export function stem(path: string): string {
  const name = basename(path)
  const ending = imageEnding(name)
  return ending ? name.slice(0, -ending.length) : name.replace(/(?<=.)\.[^.]*$/, '')
}

/** Whether a path means a folder: one that exists, or a name without ending or with a slash at the end. */
export function namesFolder(path: string): boolean {
  return statOf(path)?.isDirectory() === true || /[/\\]$/.test(path) || !/.\.[^.]*$/.test(basename(path))
}

/**
 * Checks, before any work is done, that `path` can become an image file: a known ending, a folder that exists, and
 * nothing there that is an input, whatever name or link it goes by.
 */
export function checkOutputImage(path: string, inputs: readonly string[]): void {
  const ending = imageEnding(path)
  if (ending === undefined) {
    throw new InputError(path, `does not name an image format; end it in ${imageEndings.join(', ')}`)
  }
  checkOutputFile(path, inputs)
  const index = indexOf(inputs)
  const base = path.slice(0, -ending.length)
  for (const companion of companions[ending] ?? []) checkNotInput(base + companion, path, index)
}

/** As `checkOutputImage`, for a file of any kind. */
export function checkOutputFile(path: string, inputs: readonly string[]): void {
  checkNotInput(path, path, indexOf(inputs))
  if (statOf(path)?.isDirectory()) throw new InputError(path, 'is a folder; give a file name for the output')
  const folder = dirname(resolve(path))
  const there = statOf(folder)
  if (there === undefined) throw new InputError(path, `the folder ${folder} does not exist; create it first`)
  if (!there.isDirectory()) throw new InputError(path, `${folder} is a file, not a folder; give another output`)
}

/** Checks that `path` is a folder or can become one; creates nothing. */
export function checkOutputFolder(path: string): void {
  for (let at = resolve(path); ; at = dirname(at)) {
    const there = statOf(at)
    if (there?.isDirectory()) return
    if (there !== undefined) {
      const where = at === resolve(path) ? 'is' : `${at} is`
      throw new InputError(path, `${where} a file, not a folder; give another output folder`)
    }
  }
}

/** Creates the folder and those above it. Call it once the inputs have proved good. */
export function createFolder(path: string): void {
  mkdirSync(path, { recursive: true })
}

/**
 * Where each input's result goes in `folder`: its own name, with `.nii.gz` where the input is no image file. Throws
 * where two would get the same name or one would overwrite an input.
 */
export function outputsInFolder(folder: string, inputs: readonly string[], names: readonly string[]): string[] {
  const outputs = names.map((name) => join(folder, name))
  const index = indexOf(inputs)
  const taken = new Map<string, string>()
  for (const [i, name] of names.entries()) {
    const other = taken.get(name)
    if (other !== undefined) {
      throw new InputError(inputs[i], `would be written to ${outputs[i]} as ${other} is; run them one at a time`)
    }
    taken.set(name, inputs[i])
    checkNotInput(outputs[i], outputs[i], index)
  }
  return outputs
}

function checkNotInput(target: string, output: string, inputs: InputIndex): void {
  for (const identity of identities(target)) {
    const input = inputs.get(identity)
    if (input !== undefined) throw new InputError(output, `would overwrite the input ${input}; give another output`)
  }
}

/** The inputs by everything that identifies their files. */
type InputIndex = ReadonlyMap<string, string>

function indexOf(inputs: readonly string[]): InputIndex {
  return new Map(inputs.flatMap((input) => identities(input).map((identity) => [identity, input])))
}

/** What two paths share if they lead to one file: the path without links, and the file's number (for hard links). */
function identities(path: string): string[] {
  const there = statOf(path)
  return there === undefined || there.ino === 0 ? [realPath(path)] : [realPath(path), `inode ${there.dev}:${there.ino}`]
}

/** The path with all links resolved, as far down as it exists. */
function realPath(path: string): string {
  const full = resolve(path)
  if (existsSync(full)) return realpathSync(full)
  const folder = dirname(full)
  return folder === full ? full : join(realPath(folder), basename(full))
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}
