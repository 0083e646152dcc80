import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { inputFault } from '../formats/file-faults.ts'
import { InputError } from '../volume/errors.ts'
import { openArrayMaps } from './array-maps.ts'
import type { CaseMaps, NumberOptions } from './case-maps.ts'
import { isImageName, openClassFiles, openGeometry, openImageMaps, withGeometry } from './image-maps.ts'
import { caseName } from './names.ts'

/** A case that was found but not opened yet. */
export interface FoundCase {
  readonly input: string
  readonly name: string
  /** `array`: `.npz` or `.npy`; `image`: 3-D or 4-D; `classes`: a folder of 3-D images, one a class. */
  readonly kind: 'array' | 'image' | 'classes'
}

/**
 * The cases that paths stand for. A folder stands for its `.npz` files (or else `.npy`); without those, for its sub-folders with
 * one image a class; without those, for its images.
 *
 * @throws InputError where a path does not exist or a folder holds no case
 */
export function findCases(paths: readonly string[]): FoundCase[] {
  return paths.flatMap((path) => (isFolder(path) ? casesIn(path) : [fileCase(path)]))
}

function fileCase(path: string): FoundCase {
  return { input: path, name: caseName(path), kind: /\.np[yz]$/i.test(path) ? 'array' : 'image' }
}

function casesIn(folder: string): FoundCase[] {
  const names = readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .sort()
  for (const ending of [/\.npz$/i, /\.npy$/i]) {
    const arrays = names.filter((name) => ending.test(name))
    if (arrays.length > 0) return arrays.map((name) => fileCase(join(folder, name)))
  }
  const folders = names.filter((name) => isFolder(join(folder, name)) && classFiles(join(folder, name)).length > 0)
  if (folders.length > 0) return folders.map((name) => ({ input: join(folder, name), name, kind: 'classes' }))
  const images = names.filter(isImageName).filter((name) => !/\.img(\.gz)?$/i.test(name))
  if (images.length > 0) return images.map((name) => fileCase(join(folder, name)))
  throw new InputError(
    folder,
    'holds no probabilities (.npz, .npy, images, or folders of one image a class); give another',
  )
}

/** The images of a folder in the order of their names, without the second files of pairs. */
export function classFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => isImageName(name) && !name.startsWith('.') && !/\.img(\.gz)?$/i.test(name))
    .sort()
    .map((name) => join(folder, name))
}

export interface OpenOptions extends NumberOptions {
  /** An image, or a folder of images called like the cases, to take geometry and header from. */
  readonly like?: string | undefined
  /** Names of the classes in the order wanted, for cases of one image a class. */
  readonly classNames?: readonly string[] | undefined
}

/** Opens a case: headers are read and checked, numbers are not. Throws InputError. */
export async function openCase(found: FoundCase, options: OpenOptions): Promise<CaseMaps> {
  const like = options.like === undefined ? undefined : imageOf(found, options.like)
  if (found.kind === 'array') return openArrayMaps(found.input, { ...options, like })
  const source =
    found.kind === 'classes'
      ? await openClassFiles(found.input, found.name, inOrder(found, options.classNames), options)
      : await openImageMaps(found.input, options)
  return like === undefined ? source : withGeometry(source, await openGeometry(like), like)
}

/** The image of a case: `like` itself, or in the folder `like` the file of the case's name (nnU-Net's `_0000` allowed). */
function imageOf({ input, name }: FoundCase, like: string): string {
  if (!isFolder(like)) return like
  for (const stem of [`${name}_0000`, name]) {
    for (const ending of ['.nii.gz', '.nii', '.nrrd', '.mha', '.mhd', '.hdr']) {
      const path = join(like, stem + ending)
      if (existsSync(path)) return path
    }
  }
  throw new InputError(
    input,
    `has no image in ${like} (${name}_0000.nii.gz or ${name}.nii.gz); add it or give another folder`,
  )
}

function inOrder({ input }: FoundCase, names: readonly string[] | undefined): readonly string[] {
  const files = classFiles(input)
  const wanted = names?.map((name) => files.find((file) => caseName(file) === name))
  if (!wanted?.some((file) => file !== undefined)) return files
  const missing = names?.find((_, i) => wanted[i] === undefined)
  if (missing !== undefined) {
    throw new InputError(
      input,
      `has no image of class '${missing}'; it has ${files.map((file) => basename(file)).join(', ')}`,
    )
  }
  return wanted.filter((file) => file !== undefined)
}

/** The `dataset.json` that says what the maps of a case are: in its folder, as nnU-Net leaves it there. */
export function datasetJsonFor({ input }: FoundCase): string | undefined {
  const path = join(input, '..', 'dataset.json')
  return existsSync(path) ? path : undefined
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (error) {
    throw inputFault(error, path)
  }
}
