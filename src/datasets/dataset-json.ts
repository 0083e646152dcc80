import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readRegularFileSync } from '../formats/read-file.ts'
import { InputError } from '../volume/errors.ts'
import {
  checkLabelNumber,
  checkLabelSets,
  firstTwice,
  type LabelSet,
  parseLabelNumber,
} from '../volume/label-numbers.ts'

/** What a `dataset.json` says of its images and labels. */
export interface DatasetJson {
  /** In the order of the channels; empty where the file names none. */
  readonly channelNames: readonly string[]
  /**
   * The labels that make up each class or region, by its name and in the order of the file; neither background nor
   * `ignore` is among them.
   */
  readonly labels: ReadonlyMap<string, readonly number[]>
  /** Whether a background (label 0) is listed. */
  readonly hasBackground: boolean
  /** Whether some name stands for several labels. */
  readonly hasRegions: boolean
  /** The label of voxels that nobody has annotated. They count in no score and no fit. */
  readonly ignore?: number
  /** For regions: the label that each of them paints, in order, later ones over earlier ones. */
  readonly regionsClassOrder?: readonly number[]
  /** How the names of images end, such as `.nii.gz`. */
  readonly fileEnding?: string
}

/** The name that nnU-Net gives to voxels that nobody has annotated. */
export const ignoreName = 'ignore'

/**
 * Reads a `dataset.json`.
 *
 * @throws InputError where the file cannot be read, and as `parseDatasetJson` does
 * @example
 * readDatasetJson('dataset.json').labels.get('liver') // [1]
 */
export function readDatasetJson(path: string): DatasetJson {
  return parseDatasetJson(readText(path), path)
}

/**
 * The `dataset.json` that describes a label map: in the map's folder or, as in nnU-Net's data sets, in the one above. A
 * file of that name without labels belongs to something else and does not count.
 *
 * @throws InputError where it is damaged: labels would lose their meaning, and `ignore` would be scored
 */
export function datasetJsonBeside(labelMap: string): DatasetJson | undefined {
  const folder = dirname(resolve(labelMap))
  for (const place of [folder, dirname(folder)]) {
    const path = join(place, 'dataset.json')
    if (!existsSync(path)) continue
    const text = readText(path)
    if (parseObject(text, path).labels !== undefined) return parseDatasetJson(text, path)
  }
  return undefined
}

/**
 * The content of a `dataset.json` in either form: nnU-Net v2 (`{"labels": {"liver": 1}}`, regions
 * `{"whole": [1, 2, 3]}` with `regions_class_order`, `ignore`) or nnU-Net v1 and the Medical Segmentation Decathlon
 * (`{"labels": {"1": "liver"}}`, `modality`). Source: nnU-Net's documentation/dataset_format.md and `LabelManager`.
 *
 * @param path what to name in errors
 * @throws InputError for text that is no such object, and labels that are not distinct whole numbers from 0 to 65,535
 * @example
 * parseDatasetJson('{"labels": {"background": 0, "liver": 1}}', 'dataset.json').labels // Map { 'liver' => [1] }
 */
export function parseDatasetJson(text: string, path: string): DatasetJson {
  const json = parseObject(text, path)
  const all = labelSets(json.labels, path)
  checkLabelSets(all, path)
  const isBackground = ({ labels }: LabelSet) => labels.length === 1 && labels[0] === 0
  const classes = all.filter((each) => each.name !== ignoreName && !isBackground(each))
  const hasRegions = classes.some(({ labels }) => labels.length > 1)
  const ignore = ignoredLabel(all, path)
  const order = regionsClassOrder(json.regions_class_order, path)
  if (hasRegions) checkRegions(classes, order, path)
  const fileEnding = fileEndingOf(json.file_ending, path)
  return {
    channelNames: channelNames(json.channel_names ?? json.modality, path),
    labels: new Map(classes.map(({ name, labels }) => [name, labels])),
    hasBackground: all.some(isBackground),
    hasRegions,
    ...(ignore !== undefined && { ignore }),
    ...(hasRegions && order && { regionsClassOrder: order }),
    ...(fileEnding !== undefined && { fileEnding }),
  }
}

/**
 * The object in a `dataset.json`, with all its keys.
 *
 * @throws InputError where the file is missing or holds no object
 */
export function readDatasetObject(path: string): Record<string, unknown> {
  return parseObject(readText(path), path)
}

function readText(path: string): string {
  return readRegularFileSync(path).toString('utf8')
}

function parseObject(text: string, path: string): Record<string, unknown> {
  let json: unknown
  try {
    // Editors on Windows may put a byte order mark first.
    json = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    throw new InputError(path, 'is not JSON; give the dataset.json of the data set or model')
  }
  if (isObject(json)) return json
  throw new InputError(path, 'is not a JSON object; give the dataset.json of the data set or model')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function labelSets(labels: unknown, path: string): LabelSet[] {
  if (!isObject(labels)) throw new InputError(path, `has no object "labels"; give a dataset.json`)
  return Object.entries(labels).map(([key, value]): LabelSet => {
    // nnU-Net v1 and the decathlon: {"1": "liver"}.
    if (typeof value === 'string' && !Number.isNaN(Number(key))) {
      return { name: value, labels: [parseLabelNumber(key, path, `the number of label '${value}'`)] }
    }
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    if (values.length === 0) throw new InputError(path, `label '${key}' is an empty list; give its number`)
    return { name: key, labels: values.map((each) => checkLabelNumber(each, path, `label '${key}'`)) }
  })
}

function ignoredLabel(all: readonly LabelSet[], path: string): number | undefined {
  const ignored = all.find(({ name }) => name === ignoreName)
  if (ignored === undefined) return undefined
  const [label] = ignored.labels
  const shared = all.find((each) => each !== ignored && each.labels.includes(label))
  if (ignored.labels.length === 1 && label !== 0 && shared === undefined) return label
  const what = shared ? `is label ${label}, as is '${shared.name}'` : `is label ${ignored.labels.join(', ')}`
  throw new InputError(path, `'${ignoreName}' ${what}; give it one number above 0 of its own`)
}

function regionsClassOrder(order: unknown, path: string): readonly number[] | undefined {
  if (order === undefined || order === null) return undefined
  if (!Array.isArray(order)) throw new InputError(path, '"regions_class_order" is not a list of labels; correct it')
  const labels = order.map((each) => checkLabelNumber(each, path, 'an entry of "regions_class_order"'))
  const bad = labels.includes(0) ? 0 : firstTwice(labels)
  if (bad === undefined) return labels
  const what = bad === 0 ? 'holds 0, the background' : `holds ${bad} twice`
  throw new InputError(path, `"regions_class_order" ${what}; give each region a label of its own`)
}

function checkRegions(regions: readonly LabelSet[], order: readonly number[] | undefined, path: string): void {
  if (order?.length !== regions.length) {
    const what = order ? `${regions.length} regions but ${order.length} labels in` : 'regions but no'
    throw new InputError(path, `has ${what} "regions_class_order"; give one label for each region, as nnU-Net asks`)
  }
  // JSON objects in JavaScript give such names before all others, so that regions would change places with each other.
  const number = regions.find(({ name }) => /^(0|[1-9]\d*)$/.test(name))
  if (number === undefined) return
  throw new InputError(path, `calls a region '${number.name}', so that the order of regions is lost; give it a name`)
}

function channelNames(channels: unknown, path: string): string[] {
  if (channels === undefined || channels === null) return []
  if (typeof channels !== 'object') throw new InputError(path, `its channels are ${channels}; name them: {"0": "CT"}`)
  return Object.values(channels).map(String)
}

function fileEndingOf(ending: unknown, path: string): string | undefined {
  if (ending === undefined || ending === null) return undefined
  if (typeof ending === 'string' && /^\.[^/\\]+$/.test(ending)) return ending
  throw new InputError(path, `its "file_ending" is ${JSON.stringify(ending)}; write for example ".nii.gz"`)
}
