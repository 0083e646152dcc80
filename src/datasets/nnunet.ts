import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../volume/errors.ts'
import { nameOf, namesIn } from './folder.ts'

/** The name that the format gives to voxels that nobody has labelled. */
export const IGNORE = 'ignore'

export interface NnunetCase {
  readonly id: string
  /** Cases of one patient share it; folds never part them. */
  readonly patient: string
  /** One file a channel. */
  readonly images: readonly string[]
  readonly label: string
  /** Which of these files is missing. */
  readonly fault?: InputError
}

export interface NnunetDataset {
  /** The folder's name. */
  readonly name: string
  readonly channelNames: readonly string[]
  /** Label values by name, background left out; several values where a name stands for a region. */
  readonly labels: ReadonlyMap<string, readonly number[]>
  readonly cases: readonly NnunetCase[]
}

/**
 * Reads the index of a folder in nnU-Net's raw layout: `dataset.json`, `imagesTr/CASE_0000.nii.gz` (one file a channel)
 * and `labelsTr/CASE.nii.gz`. Where there is one channel, `imagesTr/CASE.nii.gz` will do: so the Medical Segmentation
 * Decathlon is downloaded. No image is opened.
 *
 * @throws InputError naming the file that is missing or wrong
 */
export async function readNnunetDataset(folder: string): Promise<NnunetDataset> {
  const dataset = await listNnunetDataset(folder)
  for (const { fault } of dataset.cases) if (fault !== undefined) throw fault
  return dataset
}

/** As `readNnunetDataset`, but cases with a missing image or label map are listed, with that fault. */
export async function listNnunetDataset(folder: string): Promise<NnunetDataset> {
  const indexPath = join(folder, 'dataset.json')
  const { channelNames, labels, fileEnding } = parseIndex(await readText(indexPath), indexPath)
  const filesIn = async (name: string) => {
    const all = await list(join(folder, name))
    return new Set(all.filter((file) => file.endsWith(fileEnding)))
  }
  const [images, labelMaps] = [await filesIn('imagesTr'), await filesIn('labelsTr')]
  if (labelMaps.size === 0) throw new InputError(folder, `has no label maps labelsTr/*${fileEnding}; check the folder`)
  // Images without a label map are cases too.
  const wanted = new Map<string, string>()
  for (const file of images) {
    const labelMap = labelMaps.has(file) ? file : labelOf(file, fileEnding)
    if (!wanted.has(labelMap)) wanted.set(labelMap, file)
  }
  const cases = [...new Set([...labelMaps, ...wanted.keys()])].sort().map((labelMap): NnunetCase => {
    const listed = caseOf(folder, labelMap, images, { channelNames, fileEnding })
    if (labelMaps.has(labelMap)) return listed
    const fault = `is missing for the image ${wanted.get(labelMap)}; restore it, or take the image away`
    return { ...listed, fault: new InputError(listed.label, fault) }
  })
  return { name: nameOf(folder), channelNames, labels, cases }
}

/** The label map of an image file named by its channel. */
function labelOf(image: string, ending: string): string {
  return `${image.slice(0, -ending.length).replace(/_\d{4}$/, '')}${ending}`
}

/** The case of a label map. */
function caseOf(
  folder: string,
  labelMap: string,
  images: ReadonlySet<string>,
  { channelNames, fileEnding }: Pick<Index, 'channelNames' | 'fileEnding'>,
): NnunetCase {
  const id = labelMap.slice(0, -fileEnding.length)
  const channels = channelNames.map((_, channel) => `${id}_${String(channel).padStart(4, '0')}${fileEnding}`)
  const whole = images.has(labelMap) && !channels.some((name) => images.has(name))
  const names = whole && channels.length === 1 ? [labelMap] : channels
  const pathOf = (name: string) => join(folder, 'imagesTr', name)
  const found = { id, patient: patientOf(id), images: names.map(pathOf), label: join(folder, 'labelsTr', labelMap) }
  const missing = names.find((name) => !images.has(name))
  if (missing === undefined) return found
  const remedy = whole
    ? `split ${labelMap} into a file for each channel, as nnUNetv2_convert_MSD_dataset does`
    : 'restore it, or take the label map away'
  const fault = new InputError(pathOf(missing), `is missing for the label ${labelMap}; ${remedy}`)
  return { ...found, fault }
}

/** The patient of a case: its name without a trailing frame, time point, visit or scan number. */
export function patientOf(id: string): string {
  return id.replace(/[_-](frame|time|tp|visit|scan|session|ses|phase|t)[_-]?\d+$/i, '')
}

interface Index {
  readonly channelNames: string[]
  readonly labels: Map<string, readonly number[]>
  readonly fileEnding: string
}

function parseIndex(text: string, path: string): Index {
  const fault = (what: string) => new InputError(path, `${what}; see nnU-Net's dataset_format.md`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw fault('is not JSON')
  }
  if (typeof json !== 'object' || json === null) throw fault('holds no object')
  const { channel_names, modality, labels, file_ending } = json as Record<string, unknown>
  const channels = channel_names ?? modality
  if (typeof channels !== 'object' || channels === null || Object.keys(channels).length === 0) {
    throw fault("has no 'channel_names'")
  }
  if (typeof labels !== 'object' || labels === null) throw fault("has no 'labels'")
  const named = Object.entries(labels).map(([key, value]): [string, readonly number[]] => {
    // The older Medical Segmentation Decathlon index has values as keys.
    const [name, values] = /^\d+$/.test(key) ? [String(value), [Number(key)]] : [key, [value].flat()]
    if (!values.every((v): v is number => Number.isInteger(v))) throw fault(`label '${name}' is no whole number`)
    return [name, values]
  })
  return {
    channelNames: Object.values(channels).map(String),
    labels: new Map(named.filter(([, values]) => values.some((value) => value !== 0))),
    fileEnding: typeof file_ending === 'string' ? file_ending : '.nii.gz',
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    throw new InputError(
      path,
      "cannot be read; give a folder in nnU-Net's raw layout (dataset.json, imagesTr, labelsTr)",
    )
  }
}

async function list(folder: string): Promise<string[]> {
  try {
    return await namesIn(folder)
  } catch {
    throw new InputError(folder, 'cannot be read; nnU-Net keeps images in imagesTr and labels in labelsTr')
  }
}
