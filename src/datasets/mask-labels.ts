import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { writeTextAtomically } from '../formats/atomic-write.ts'
import { readLabelNames } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import type { LabelSet } from '../volume/label-numbers.ts'
import { type DatasetJson, datasetJsonBeside, ignoreName, parseDatasetJson, readDatasetJson } from './dataset-json.ts'
import { caseName, isImageName } from './image-names.ts'

/** What the labels of a label map are called, as a `dataset.json` says it. */
export interface MaskLabels {
  /** The labels that make up each class or region, in order, without the background. */
  readonly classes: readonly LabelSet[]
  /** For regions: the label that each of them paints. */
  readonly regionsClassOrder?: readonly number[] | undefined
  readonly ignore?: number | undefined
}

/** A label map that a run has written. */
export interface WrittenMask {
  readonly path: string
  /** Undefined where its labels are numbers only. */
  readonly labels: MaskLabels | undefined
}

/**
 * What the labels of a file are called: as the `dataset.json` of its data set says, unless the file itself has other
 * names. A file of one organ (TotalSegmentator's) is called as the organ is, and needs none.
 */
export async function maskLabelsOf(path: string): Promise<MaskLabels | undefined> {
  if (basename(dirname(resolve(path))) === 'segmentations') return undefined
  const own = await readLabelNames(path)
  const described = describedBeside(path)
  const named = labelsNamed(own)
  if (named === undefined || described === undefined) return named ?? described
  const known = new Map(described.classes.map(({ name, labels }) => [labels.join(), name]))
  return named.classes.every(({ name, labels }) => known.get(labels.join()) === name) ? described : named
}

/** The same of the names that an image holds; undefined where it holds none. */
export function labelsNamed(names: ReadonlyMap<number, string> = new Map()): MaskLabels | undefined {
  const classes = [...names].flatMap(([label, name]) => (label === 0 ? [] : [{ name, labels: [label] }]))
  return classes.length > 0 ? { classes } : undefined
}

function describedBeside(path: string): MaskLabels | undefined {
  try {
    const dataset = datasetJsonBeside(path)
    return dataset && labelsIn(dataset)
  } catch (error) {
    // Whoever shows the names of this label map says what is wrong with it.
    if (error instanceof InputError) return undefined
    throw error
  }
}

function labelsIn({ labels, regionsClassOrder, ignore }: DatasetJson): MaskLabels {
  return { classes: [...labels].map(([name, own]) => ({ name, labels: own })), regionsClassOrder, ignore }
}

/**
 * Writes a `dataset.json` into each folder of label maps whose labels have names: what nnU-Net's tools for folders of
 * predictions read (labels, regions, ending of the files). Nothing is written where some of a folder's label maps have
 * no names, or where these contradict each other; what is there already stays.
 *
 * @returns a sentence for each folder that describes other labels already
 */
export async function describeMasks(masks: readonly WrittenMask[]): Promise<string[]> {
  const folders = new Map<string, WrittenMask[]>()
  for (const mask of masks) {
    const folder = dirname(mask.path)
    folders.set(folder, [...(folders.get(folder) ?? []), mask])
  }
  const warnings: string[] = []
  for (const [folder, own] of folders) {
    const text = descriptionOf(own)
    if (text === undefined) continue
    const path = join(folder, 'dataset.json')
    if (!existsSync(path)) await writeTextAtomically(path, text)
    else if (!describes(path, text)) {
      warnings.push(`${path}: describes other labels than these masks have, and stays as it is; move it away`)
    }
  }
  return warnings
}

/** The text of a `dataset.json`, or undefined where none fits all label maps. */
function descriptionOf(masks: readonly WrittenMask[]): string | undefined {
  const [first] = masks
  const ending = endingOf(first.path)
  // DICOM holds names itself; nnU-Net reads no arrays.
  if (!isImageName(first.path)) return undefined
  if (!masks.every(({ path, labels }) => labels !== undefined && endingOf(path) === ending)) return undefined
  // A case may lack names that others have.
  const classes = new Map(masks.flatMap(({ labels }) => labels?.classes.map((each) => [each.name, each]) ?? []))
  const { regionsClassOrder, ignore } = first.labels ?? {}
  const text = `${JSON.stringify(
    {
      labels: Object.fromEntries([
        ['background', 0],
        ...[...classes].map(([name, { labels }]) => [name, labels.length === 1 ? labels[0] : labels]),
        ...(ignore === undefined ? [] : [[ignoreName, ignore]]),
      ]),
      ...(regionsClassOrder !== undefined && { regions_class_order: regionsClassOrder }),
      file_ending: ending,
    },
    null,
    2,
  )}\n`
  return classes.size > 0 && masks.every(({ labels }) => labels !== undefined && agrees(text, labels))
    ? text
    : undefined
}

/** `.nii.gz` of `a/case_1.nii.gz`. */
function endingOf(path: string): string {
  return basename(path).slice(caseName(path).length)
}

/** Whether a text says of these labels what they are, and is a `dataset.json` at all. */
function agrees(text: string, { classes, regionsClassOrder, ignore }: MaskLabels): boolean {
  const read = parsed(() => parseDatasetJson(text, 'dataset.json'))
  return (
    read?.hasBackground === true &&
    classes.every(({ name, labels }) => read.labels.get(name)?.join() === labels.join()) &&
    read.regionsClassOrder?.join() === regionsClassOrder?.join() &&
    read.ignore === ignore
  )
}

/** Whether the `dataset.json` of a folder says of all labels what a text says; it may know more of them. */
function describes(path: string, text: string): boolean {
  const there = parsed(() => readDatasetJson(path))
  const { classes, regionsClassOrder: order, ignore } = labelsIn(parseDatasetJson(text, path))
  return (
    there !== undefined &&
    classes.every(({ name, labels }) => there.labels.get(name)?.join() === labels.join()) &&
    (there.labels.size > classes.length || there.regionsClassOrder?.join() === order?.join()) &&
    (ignore === undefined || there.ignore === ignore)
  )
}

function parsed(read: () => DatasetJson): DatasetJson | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof InputError) return undefined
    throw error
  }
}
