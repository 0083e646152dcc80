import { basename, join, resolve } from 'node:path'
import { holdsDicom } from '../formats/dicom/folder.ts'
import { InputError } from '../volume/errors.ts'
import { gatherPaths, namedOnce } from './case-paths.ts'
import { imagesIn, isFolderEntry, isWholeImageName, listed, several } from './image-folder.ts'
import { caseName } from './image-names.ts'
import { isSegmentationName } from './label-cases.ts'

/** A case's image, found but not opened yet. */
export interface ImageCase {
  readonly name: string
  /** One file a channel, or a single one that holds them all. */
  readonly files: readonly string[]
}

export interface ImageCases {
  /** In the order of the paths, and of names within a folder. */
  readonly cases: readonly ImageCase[]
  /** What was taken and passed over where a folder holds things of several kinds, a sentence each. */
  readonly warnings: readonly string[]
}

export interface FindImageCasesOptions {
  /** How many channels an image has. */
  readonly channels: number
  /** An ending that names of files have and names of cases have not. */
  readonly suffix?: string | undefined
}

/** How images are called in folders with a case each, beside the segmentations (TotalSegmentator, KiTS). */
const imageName = /^(ct|mri|imaging|image)$/i

/** nnU-Net's number of a channel at the end of a file's name. */
const channelNumber = /_(\d{4})$/

/**
 * The images that paths stand for. A path may be a file, a pattern (see `matchFiles`) or a folder: of images; of an
 * nnU-Net data set (its `imagesTs`, or `imagesTr` where there is none); or of folders with a case each, whose image is
 * the only one or the one that is called so (`CASE/ct.nii.gz`, `CASE/imaging.nii.gz`). Files that are called
 * `CASE_0000`, `CASE_0001` … are the channels of one case; so are as many files as an image has channels, where no
 * others are given.
 *
 * @throws InputError where a path does not exist, nothing matches, a folder holds no image, or two cases have one name
 */
export async function findImageCases(
  paths: readonly string[],
  { channels, suffix }: FindImageCasesOptions,
): Promise<ImageCases> {
  const { cases, loose, warnings } = await gatherPaths<ImageCase>(
    paths,
    (file, name) => ({ name, files: [file] }),
    casesIn,
  )
  const single = channels > 1 && cases.length === 0 && loose.length === channels && !loose.some(isChannel)
  const files = single ? [{ name: caseName(loose[0]), files: loose }] : byChannel(loose)
  return { cases: namedOnce([...cases, ...files], (one) => one.files[0], suffix), warnings }
}

const isChannel = (path: string): boolean => channelNumber.test(caseName(path))

/** Files called as channels joined to cases, where the first channel is among them; each of the others is a case. */
function byChannel(files: readonly string[]): ImageCase[] {
  const folderOf = (path: string): string => resolve(path, '..')
  const stemOf = (path: string): string => caseName(path).replace(channelNumber, '')
  const keyOf = (path: string): string => join(folderOf(path), stemOf(path))
  const first = new Set(files.filter((path) => channelNumber.exec(caseName(path))?.[1] === '0000').map(keyOf))
  const cases = new Map<string, { readonly name: string; readonly files: string[] }>()
  for (const path of files) {
    const joined = isChannel(path) && first.has(keyOf(path))
    const key = joined ? keyOf(path) : resolve(path)
    const own = cases.get(key) ?? { name: joined ? stemOf(path) : caseName(path), files: [] }
    own.files.push(path)
    cases.set(key, own)
  }
  // 0000, 0001 …, in whatever order they were given.
  return [...cases.values()].map(({ name, files: own }) => ({
    name,
    files: own.length > 1 ? own.toSorted((a, b) => (caseName(a) < caseName(b) ? -1 : 1)) : own,
  }))
}

function casesIn(folder: string): ImageCases {
  const entries = listed(folder).filter(({ name }) => !name.startsWith('.'))
  const folders = entries.filter((entry) => isFolderEntry(folder, entry)).map(({ name }) => name)
  const inside = new Set(folders)
  const images = entries.map(({ name }) => name).filter((name) => isWholeImageName(name) && !inside.has(name))
  const raw = ['imagesTs', 'imagesTr'].find((name) => inside.has(name) && hasImages(join(folder, name)))
  if (raw !== undefined && images.length === 0) {
    const { cases } = casesIn(join(folder, raw))
    return { cases, warnings: [`${folder}: took ${raw} (${cases.length} cases)`] }
  }
  if (images.length > 0) {
    const own = images.length > 1 ? images.find((name) => imageName.test(caseName(name))) : undefined
    // The folder of one case: its image, and segmentations of it.
    if (own !== undefined && images.every((name) => name === own || isSegmentationName(caseName(name)))) {
      return { cases: [{ name: basename(resolve(folder)), files: [join(folder, own)] }], warnings: [] }
    }
    return { cases: byChannel(images.map((name) => join(folder, name))), warnings: [] }
  }
  // A series of DICOM files is one image.
  if (holdsDicom(folder)) {
    return { cases: [{ name: basename(resolve(folder)), files: [folder] }], warnings: [] }
  }
  return oneFolderEach(folder, folders)
}

function oneFolderEach(folder: string, folders: readonly string[]): ImageCases {
  const cases: ImageCase[] = []
  const undecided: string[] = []
  for (const name of folders) {
    const path = join(folder, name)
    const images = hasImages(path) ? imagesIn(path).filter((file) => !isSegmentationName(caseName(file))) : []
    const called = images.filter((file) => imageName.test(caseName(file)))
    const joined = byChannel(images)
    const chosen = joined.length === 1 ? joined[0].files : called
    if (images.length === 0 && holdsDicom(path)) cases.push({ name, files: [path] })
    else if (chosen.length > 0 && (joined.length === 1 || called.length === 1)) cases.push({ name, files: chosen })
    else if (images.length > 0) undecided.push(`${name}/ (${several(images.map((image) => basename(image)))})`)
  }
  if (cases.length === 0 && undecided.length > 0) {
    const remedy = `say which in a pattern: '${join(folder, '{case}', 'FILE.nii.gz')}'`
    throw new InputError(folder, `holds folders with several images each, such as ${undecided[0]}; ${remedy}`)
  }
  if (cases.length === 0)
    throw new InputError(folder, 'holds no images, nor folders with one each; give another folder')
  if (undecided.length === 0) return { cases, warnings: [] }
  const took = `took ${cases.length} ${cases.length === 1 ? 'folder' : 'folders'}`
  return { cases, warnings: [`${folder}: ${took}, passed over ${several(undecided)}, as none says which it is`] }
}

function hasImages(folder: string): boolean {
  try {
    return imagesIn(folder).length > 0
  } catch (error) {
    if (error instanceof InputError) return false
    throw error
  }
}
