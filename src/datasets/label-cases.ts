import { basename, dirname, join, resolve } from 'node:path'
import { InputError } from '../volume/errors.ts'
import { gatherPaths, namedOnce } from './case-paths.ts'
import { imagesIn, isFolderEntry, isWholeImageName, listed, several } from './image-folder.ts'
import { caseName } from './image-names.ts'

/** A case's label map, found but not opened yet: one file, or one mask an organ (TotalSegmentator's layout). */
export interface LabelCase {
  readonly name: string
  /** The label map; of a case with a mask an organ the folder of the masks. */
  readonly input: string
  /** The masks by the name of their organ. */
  readonly organs?: ReadonlyMap<string, string>
}

export interface LabelCases {
  /** In the order of the paths, and of names within a folder. */
  readonly cases: readonly LabelCase[]
  /** What was taken and passed over where a folder holds things of several kinds, a sentence each. */
  readonly warnings: readonly string[]
}

export interface FindLabelCasesOptions {
  /** An ending that names of files have and names of cases have not, such as `_seg`. */
  readonly suffix?: string | undefined
}

/** How segmentations are called in folders with a case each, beside the images. */
export const isSegmentationName = (name: string): boolean => segmentationName.test(name)
const segmentationName = /^(.*[_-])?(seg|segm|segmentation|segmentations|label|labels|labelmap|mask)$/i

/**
 * The label maps that paths stand for. A path may be a file, a pattern (see `matchFiles`) or a folder: of label maps;
 * of an nnU-Net data set (its `labelsTr`); of cases in TotalSegmentator's layout (`CASE/segmentations/ORGAN.nii.gz`);
 * or of folders with a case each, whose label map is the only image or the one that is called a segmentation
 * (`CASE/CASE_seg.nii.gz`, `CASE/segmentation.nii.gz`). Where files of several folders have one name, a case is called
 * as its folder is.
 *
 * @throws InputError where a path does not exist, nothing matches, a folder holds no label map, or two cases have one
 *   name
 * @example
 * (await findLabelCases(['labelsTr'])).cases.map(({ name }) => name) // ['case_001', 'case_002']
 */
export async function findLabelCases(
  paths: readonly string[],
  { suffix }: FindLabelCasesOptions = {},
): Promise<LabelCases> {
  const { cases, loose, warnings } = await gatherPaths<LabelCase>(paths, (input, name) => ({ name, input }), casesIn)
  return { cases: namedOnce([...cases, ...namedApart(loose)], ({ input }) => input, suffix), warnings }
}

/** Files called by their names; where these are one, by their folders' names. */
function namedApart(files: readonly string[]): LabelCase[] {
  const names = files.map(caseName)
  const folders = files.map((path) => basename(dirname(resolve(path))))
  const byFolder = new Set(names).size < files.length && new Set(folders).size === files.length
  return files.map((input, i) => ({ name: byFolder ? folders[i] : names[i], input }))
}

function casesIn(folder: string): LabelCases {
  const entries = listed(folder).filter(({ name }) => !name.startsWith('.'))
  const folders = entries.filter((entry) => isFolderEntry(folder, entry)).map(({ name }) => name)
  const inside = new Set(folders)
  const images = entries.map(({ name }) => name).filter((name) => isWholeImageName(name) && !inside.has(name))
  if (inside.has('labelsTr') && images.length === 0) {
    const { cases } = casesIn(join(folder, 'labelsTr'))
    return { cases, warnings: [`${folder}: took labelsTr (${cases.length} cases)`] }
  }
  if (inside.has('segmentations') && images.every((name) => !segmentationName.test(caseName(name)))) {
    return { cases: [organCase(folder, basename(resolve(folder)))], warnings: [] }
  }
  if (images.length > 0) return flat(folder, images, folders)
  // A series of DICOM files is one image.
  if (entries.some(({ name }) => /\.(dcm|ima)$/i.test(name))) {
    return { cases: [{ name: basename(resolve(folder)), input: folder }], warnings: [] }
  }
  return oneFolderEach(folder, folders)
}

function flat(folder: string, images: readonly string[], folders: readonly string[]): LabelCases {
  const withImages = folders.filter((name) => hasImages(join(folder, name)))
  const passed = withImages.map((name) => `${name}/`)
  const warnings =
    passed.length > 0 ? [`${folder}: took its images (${images.length}), passed over ${several(passed)}`] : []
  return { cases: images.map((name) => ({ name: caseName(name), input: join(folder, name) })), warnings }
}

function oneFolderEach(folder: string, folders: readonly string[]): LabelCases {
  const cases: LabelCase[] = []
  const undecided: string[] = []
  for (const name of folders) {
    const path = join(folder, name)
    if (hasImages(join(path, 'segmentations'))) {
      cases.push(organCase(path, name))
      continue
    }
    const images = hasImages(path) ? imagesIn(path) : []
    const called = images.filter((image) => segmentationName.test(caseName(image)))
    const chosen = images.length === 1 ? images : called
    if (chosen.length === 1) cases.push({ name, input: chosen[0] })
    else if (images.length > 0) undecided.push(`${name}/ (${several(images.map((image) => basename(image)))})`)
  }
  if (cases.length === 0 && undecided.length > 0) {
    const [image] = imagesIn(join(folder, folderOf(undecided[0])))
    const remedy = `say which, as in '${join(folder, '{case}', basename(image))}'`
    throw new InputError(folder, `holds folders with several images each, such as ${undecided[0]}; ${remedy}`)
  }
  if (cases.length === 0) {
    throw new InputError(folder, 'holds no label maps (images, or folders with one each); give another folder')
  }
  if (undecided.length === 0) return { cases, warnings: [] }
  const took = `took ${cases.length} ${cases.length === 1 ? 'folder' : 'folders'}`
  return { cases, warnings: [`${folder}: ${took}, passed over ${several(undecided)}, as none says which it is`] }
}

const folderOf = (text: string): string => text.slice(0, text.indexOf('/ ('))

function organCase(path: string, name: string): LabelCase {
  const input = join(path, 'segmentations')
  return { name, input, organs: new Map(imagesIn(input).map((file) => [caseName(file), file])) }
}

function hasImages(folder: string): boolean {
  try {
    return imagesIn(folder).length > 0
  } catch (error) {
    if (error instanceof InputError) return false
    throw error
  }
}
