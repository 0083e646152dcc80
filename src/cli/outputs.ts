import { readdirSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { refuseInput, registerInput } from '../formats/inputs.ts'
import { checkFolder } from '../formats/output-folder.ts'
import { isSegmentFile } from '../formats/segment-files.ts'
import { InputError } from '../volume/errors.ts'

/** Image formats by file name, the longest ending first; the second file of a two-file format stands beside it. */
const imageEndings = [
  '.seg.nrrd',
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
  '.dcm',
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
  if (path.includes(caseWord)) return false
  return statOf(path)?.isDirectory() === true || /[/\\]$/.test(path) || !/.\.[^.]*$/.test(basename(path))
}

/**
 * Checks, before any work is done, that `path` can become an image file: a known ending, folders that exist or can be
 * made, and nothing there that is an input, whatever name or link it goes by.
 *
 * @param masks whether it is going to hold masks, as files of segments do
 */
export function checkOutputImage(path: string, inputs: readonly string[], masks = true): void {
  const ending = imageEnding(path)
  if (ending === undefined) {
    const endings = imageEndings.filter((one) => masks || !isSegmentFile(`x${one}`))
    throw new InputError(path, `does not name an image format; end it in ${endings.join(', ')}`)
  }
  if (!masks && isSegmentFile(path)) {
    throw new InputError(
      path,
      'is a file of segments, which holds masks, not probabilities; end it in .nii.gz or .nrrd',
    )
  }
  checkOutputFile(path, inputs)
  const base = path.slice(0, -ending.length)
  for (const companion of companions[ending] ?? []) refuseInput(base + companion, path)
}

/** As `checkOutputImage`, for a file of any kind. */
export function checkOutputFile(path: string, inputs: readonly string[]): void {
  protect(inputs)
  refuseInput(path)
  const there = statOf(path)
  if (there?.isDirectory()) throw new InputError(path, 'is a folder; give a file name for the output')
  if (there?.isFile() === false) throw new InputError(path, 'is a pipe or a device; give a file name for the output')
  checkFolder(dirname(path))
}

/** Checks that `path` is a folder or can become one, and can be written in; creates nothing. */
export function checkOutputFolder(path: string): void {
  checkFolder(path)
}

/**
 * Where each input's result goes in `folder`: its own name, with `.nii.gz` where the input is no image file. Throws
 * where two would get the same name or one would overwrite an input.
 */
export function outputsInFolder(folder: string, inputs: readonly string[], names: readonly string[]): string[] {
  protect(inputs)
  const outputs = names.map((name) => join(folder, name))
  const taken = new Map<string, string>()
  for (const [i, name] of names.entries()) {
    const other = taken.get(name)
    if (other !== undefined) {
      throw new InputError(inputs[i], `would be written to ${outputs[i]} as ${other} is; run them one at a time`)
    }
    taken.set(name, inputs[i])
    refuseInput(outputs[i])
  }
  return outputs
}

/** Stands for a case's name in the name of an output. */
const caseWord = '{case}'

/**
 * Where the image of each case goes by a name such as `masks/{case}.dcm`, which says the format too; undefined where
 * the name is none such. All are checked before any work is done.
 */
export function outputsOfPattern(
  output: string,
  inputs: readonly { readonly name: string; readonly input: string }[],
  masks: boolean,
): readonly string[] | undefined {
  if (!output.includes(caseWord)) return undefined
  const paths = inputs.map(({ name }) => output.replaceAll(caseWord, name))
  const files = inputs.map(({ input }) => input)
  for (const path of paths) checkOutputImage(path, files, masks)
  const twice = paths.findIndex((path, n) => paths.indexOf(path) < n)
  if (twice < 0) return paths
  const other = files[paths.indexOf(paths[twice])]
  throw new InputError(files[twice], `would be written to ${paths[twice]} as ${other} is; run them one at a time`)
}

/**
 * Where the image of each case goes: the file that was named for a single one, by a pattern (see `outputsOfPattern`),
 * or else `NAME.nii.gz` in the folder. All are checked before any work is done.
 */
export function outputPaths(
  output: string,
  {
    inputs,
    single,
    what = 'label maps',
    masks = false,
  }: {
    readonly what?: string
    readonly masks?: boolean
    readonly inputs: readonly { readonly name: string; readonly input: string }[]
    readonly single: boolean
  },
): (one: { readonly name: string }) => string {
  const files = inputs.map(({ input }) => input)
  const pattern = outputsOfPattern(output, inputs, masks)
  if (pattern) return ({ name }) => pattern[inputs.findIndex((one) => one.name === name)]
  if (single && !namesFolder(output)) {
    checkOutputImage(output, files, masks)
    return () => output
  }
  if (imageEnding(output) !== undefined && !namesFolder(output)) {
    throw new InputError(output, `names one file for ${inputs.length} ${what}; give a folder`)
  }
  checkOutputFolder(output)
  const names = inputs.map(({ name }) => `${name}.nii.gz`)
  const paths = outputsInFolder(output, files, names)
  return ({ name }) => paths[names.indexOf(`${name}.nii.gz`)]
}

/**
 * Protects what a run is going to read, in any role, from its outputs: files, and the images in folders. Call it before
 * outputs are checked; what is only found while reading is protected by the readers themselves.
 */
export function protect(paths: readonly (string | undefined)[]): void {
  for (const path of paths) {
    if (path === undefined) continue
    const files = statOf(path)?.isDirectory() ? imagesIn(path) : [path]
    for (const file of files) registerInput(file)
  }
}

/** A page of an earlier run that lies in the folder may be written again. */
function imagesIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => imageEnding(name) !== undefined)
  return names.map((name) => join(folder, name))
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}
