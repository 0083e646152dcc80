import { basename, dirname, join, resolve } from 'node:path'
import { readVolume } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, gridDifference } from '../volume/grid.ts'
import { type LabelArray, labelMapOf } from '../volume/labels.ts'
import { onOneGrid } from '../volume/one-grid.ts'
import type { Volume } from '../volume/volume.ts'
import { imagesIn, isFolder, isFolderEntry, listed } from './image-folder.ts'
import { caseName } from './image-names.ts'
import { findLabelCases } from './label-cases.ts'
import { isPattern } from './match-files.ts'

/** The files of several annotators' maps of one case; undefined where one has none. */
export interface AnnotatorCase {
  readonly name: string
  readonly files: readonly (string | undefined)[]
}

/** Cases that several annotators have drawn. */
export interface AnnotatorCases {
  /** What the annotators are called, by folder or file. */
  readonly annotators: readonly string[]
  readonly cases: readonly AnnotatorCase[]
  readonly warnings: readonly string[]
}

/** As many as a consensus takes. */
const mostAnnotators = 20

/**
 * The cases of several annotators: a folder or a pattern for each of them, matched by case name; a file for each, of
 * one case; or one folder that holds a folder for each case with a file for each annotator (`CASE/rater1.nii.gz`).
 *
 * @throws InputError where there are not 2 to 20 annotators, or no case has two of them
 */
export async function findAnnotatorCases(paths: readonly string[]): Promise<AnnotatorCases> {
  const found = paths.length === 1 ? folderEach(paths[0]) : await pathEach(paths)
  const { annotators, cases } = found
  if (annotators.length < 2 || annotators.length > mostAnnotators) {
    throw new InputError(paths[0], `gives ${annotators.length} annotators; give 2 to ${mostAnnotators} of them`)
  }
  const shared = cases.filter(({ files }) => files.filter((file) => file !== undefined).length >= 2)
  if (shared.length === 0) {
    throw new InputError(paths[0], 'shares no case with the others; cases are matched by their names: rename them')
  }
  const alone = cases.length - shared.length
  const warnings = [...found.warnings]
  if (alone > 0) warnings.push(`${alone} of ${cases.length} cases have one annotator only; they are left out`)
  return { annotators, cases: shared, warnings }
}

function folderEach(path: string): AnnotatorCases {
  if (isPattern(path) || !isFolder(path)) {
    throw new InputError(path, 'is one annotator; give 2 to 20 of them, or a folder with a folder for each case')
  }
  const folders = listed(path).filter((entry) => !entry.name.startsWith('.') && isFolderEntry(path, entry))
  const images = folders.map(({ name }) => ({ name, files: imagesIn(join(path, name)) }))
  const annotators = [...new Set(images.flatMap(({ files }) => files.map(caseName)))].sort()
  if (annotators.length > mostAnnotators && images.every(({ files }) => files.length <= mostAnnotators)) {
    throw new InputError(path, `holds files of ${annotators.length} names; name annotators alike in all cases`)
  }
  const cases = images
    .filter(({ files }) => files.length > 0)
    .map(({ name, files }) => ({
      name,
      files: annotators.map((annotator) => files.find((file) => caseName(file) === annotator)),
    }))
  return { annotators, cases, warnings: [] }
}

async function pathEach(paths: readonly string[]): Promise<AnnotatorCases> {
  const single = paths.filter((path) => !isPattern(path) && !isFolder(path))
  if (single.length === paths.length) return filesOfOneCase(paths)
  if (single.length > 0) {
    throw new InputError(single[0], 'is a file among folders; give a folder for each annotator, or a file for each')
  }
  const found: Awaited<ReturnType<typeof findLabelCases>>[] = []
  for (const path of paths) found.push(await findLabelCases([path]))
  const organs = found.flatMap(({ cases }) => cases).find((one) => one.organs !== undefined)
  if (organs) throw new InputError(organs.input, 'holds a mask for each organ; give label maps')
  const names = [...new Set(found.flatMap(({ cases }) => cases.map(({ name }) => name)))].sort()
  const cases = names.map((name) => ({
    name,
    files: found.map((each) => each.cases.find((one) => one.name === name)?.input),
  }))
  return { annotators: called(paths), cases, warnings: found.flatMap(({ warnings }) => warnings) }
}

function filesOfOneCase(paths: readonly string[]): AnnotatorCases {
  const stems = paths.map(caseName)
  const alike = new Set(stems).size < stems.length
  const folder = basename(dirname(resolve(paths[0])))
  const annotators = alike ? called(paths.map((path) => dirname(resolve(path)))) : stems
  return { annotators, cases: [{ name: alike ? stems[0] : folder, files: paths }], warnings: [] }
}

/** Folders by their last names, or by all of their path where these are alike. */
function called(paths: readonly string[]): string[] {
  const last = paths.map((path) => basename(resolve(path)))
  return new Set(last).size === paths.length ? last : [...paths]
}

/** One case read: the maps of the annotators who have it, on one grid. */
export interface AnnotatorMaps {
  readonly grid: Grid
  readonly maps: readonly LabelArray[]
  /** Of each map its annotator's number. */
  readonly annotators: readonly number[]
  /** The first map as it was stored, for what is written in its place. */
  readonly template: Volume
}

/** Reads the maps of a case. Throws InputError where a file cannot be read, or lies on another grid than the first. */
export async function readAnnotatorCase({ files }: AnnotatorCase): Promise<AnnotatorMaps> {
  const known = files.flatMap((file, annotator) => (file === undefined ? [] : [{ file, annotator }]))
  let volumes: Volume[] = []
  for (const { file } of known) {
    const volume = await readVolume(file)
    if (volumes.length === 0) volumes = [volume]
    else {
      // Segmentations that store their own part of the grid grow to what the others have.
      const grown = volumes.map((other) => onOneGrid(other, volume)[0])
      volumes = [...grown, onOneGrid(grown[0], volume)[1]]
    }
  }
  for (const [i, { grid }] of volumes.entries()) {
    const difference = gridDifference(volumes[0].grid, grid)
    if (difference !== undefined) {
      throw new InputError(known[i].file, `lies on another grid than ${known[0].file} (${difference}); resample it`)
    }
  }
  return {
    grid: volumes[0].grid,
    maps: volumes.map((volume, i) => labelMapOf(volume, known[i].file).values),
    annotators: known.map(({ annotator }) => annotator),
    template: volumes[0],
  }
}
