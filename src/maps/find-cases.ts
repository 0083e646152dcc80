import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { imagesIn, isFolder, isFolderEntry, isWholeImageName, listed, several } from '../datasets/image-folder.ts'
import { caseName, withoutSuffix } from '../datasets/image-names.ts'
import { isPattern, matchFiles } from '../datasets/match-files.ts'
import { InputError } from '../volume/errors.ts'

/** A case that was found but not opened yet. */
export interface FoundCase {
  readonly input: string
  readonly name: string
  /** `array`: `.npz` or `.npy`; `image`: 3-D or 4-D; `folder`: images of one case, one a class or a single 4-D one. */
  readonly kind: 'array' | 'image' | 'folder'
}

export interface FoundCases {
  readonly cases: readonly FoundCase[]
  /** What was taken and passed over where a folder holds things of several kinds, a sentence each. */
  readonly warnings: readonly string[]
}

export interface FindOptions {
  /** The cases are to become one mask: several images in a folder are then the classes of one case. */
  readonly one?: boolean | undefined
}

/**
 * The cases that paths stand for. A folder stands for its `.npz` files; without those, for its `.npy` files; without
 * those, for its sub-folders that hold images (MONAI's layout, or one image a class); without those, for its images.
 *
 * @throws InputError where a path does not exist or a folder holds no case
 * @example
 * findCases(['predictions']).cases.map(({ name }) => name) // ['case']
 */
export function findCases(paths: readonly string[], options: FindOptions = {}): FoundCases {
  const found = paths.map((path): FoundCases => {
    if (!isFolder(path)) return { cases: [fileCase(path)], warnings: [] }
    return casesIn(path, options.one === true && paths.length === 1)
  })
  return { cases: found.flatMap(({ cases }) => cases), warnings: found.flatMap(({ warnings }) => warnings) }
}

/**
 * As `findCases`; a path may also be a pattern (see `matchFiles`), and `suffix` is taken off the names of cases.
 *
 * @throws InputError as `findCases` does, where a pattern matches nothing
 */
export async function matchCases(
  paths: readonly string[],
  { suffix, ...options }: FindOptions & { readonly suffix?: string | undefined } = {},
): Promise<FoundCases> {
  const cases: FoundCase[] = []
  const warnings: string[] = []
  for (const path of paths) {
    if (isPattern(path)) {
      for (const { path: file, name, named } of await matchFiles(path)) {
        if (named) cases.push({ ...fileCase(file), name })
        else cases.push(...findCases([file], options).cases)
      }
      continue
    }
    const found = findCases([path], { one: options.one === true && paths.length === 1 })
    cases.push(...found.cases)
    warnings.push(...found.warnings)
  }
  return { cases: cases.map((one) => ({ ...one, name: withoutSuffix(one.name, suffix) })), warnings }
}

function fileCase(path: string): FoundCase {
  return { input: path, name: caseName(path), kind: /\.np[yz]$/i.test(path) ? 'array' : 'image' }
}

function casesIn(folder: string, one: boolean): FoundCases {
  const entries = listed(folder)
  const at = (name: string) => join(folder, name)
  const visible = entries.filter(({ name }) => !name.startsWith('.'))
  const files = visible.filter((entry) => !isFolderEntry(folder, entry)).map(({ name }) => name)
  const folders: string[] = []
  const unreadable: string[] = []
  for (const entry of visible) {
    if (!isFolderEntry(folder, entry)) continue
    try {
      if (imagesIn(at(entry.name)).length > 0) folders.push(entry.name)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      unreadable.push(`${entry.name}/ (${error.fault})`)
    }
  }
  const kinds: [what: string, names: string[]][] = [
    ['.npz files', files.filter((name) => /\.npz$/i.test(name))],
    ['.npy files', files.filter((name) => /\.npy$/i.test(name))],
    ['sub-folders of images', folders],
    ['images', files.filter(isWholeImageName)],
  ]
  const first = kinds.findIndex(([, names]) => names.length > 0)
  if (first < 0) {
    const why = unreadable.length > 0 ? `; it passed over ${several(unreadable)}` : ''
    throw new InputError(
      folder,
      `holds no probabilities (.npz, .npy, images, or folders of images)${why}; give another`,
    )
  }
  const [what, names] = kinds[first]
  const taken = new Set(names.map(caseName))
  // nnU-Net's own segmentation lies beside the array of its name.
  const rest = kinds.slice(first + 1).flatMap(([, others]) => others.filter((name) => !taken.has(caseName(name))))
  // macOS leaves a ._NAME beside each file that it copies to other file systems.
  const hidden = entries
    .map(({ name }) => name)
    .filter((name) => name.startsWith('.') && (/\.np[yz]$/i.test(name) || isWholeImageName(name)))
  const passedOver = [...rest, ...hidden, ...unreadable]
  const warnings =
    passedOver.length > 0 ? [`${folder}: took its ${what} (${names.length}), passed over ${several(passedOver)}`] : []
  if (one && what === 'images' && names.length > 1) {
    const taking = `its ${names.length} images are taken as the classes of one case`
    const classes = `${folder}: ${taking}, as one mask is asked for`
    return {
      cases: [{ input: folder, name: basename(resolve(folder)), kind: 'folder' }],
      warnings: [...warnings, classes],
    }
  }
  const cases = names.map(
    (name): FoundCase =>
      what === 'sub-folders of images' ? { input: at(name), name, kind: 'folder' } : fileCase(at(name)),
  )
  return { cases, warnings }
}

/** The files that a case reads, and the pipeline's own segmentation beside it: none of them may be written over. */
export function filesOf({ input, name, kind }: FoundCase): string[] {
  if (kind === 'folder') return imagesIn(input)
  if (kind === 'image') return [input]
  const beside = ['.nii.gz', '.nii', '.nrrd', '.mha'].map((ending) => join(dirname(input), name + ending))
  return [input, ...beside.filter((path) => existsSync(path))]
}

/**
 * The `dataset.json` that says what the maps of a case are: in its folder, as nnU-Net leaves it with predictions, or
 * two above it, as it leaves it with a trained model (`fold_0/validation`).
 */
export function datasetJsonFor({ input }: FoundCase): string | undefined {
  const folder = dirname(resolve(input))
  const model = basename(folder) === 'validation' ? [dirname(dirname(folder))] : []
  return [join(input, '..'), ...model].map((place) => join(place, 'dataset.json')).find((path) => existsSync(path))
}
