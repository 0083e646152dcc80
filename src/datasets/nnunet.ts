import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../volume/errors.ts'
import { labelMapOf } from '../volume/labels.ts'
import type { Volume } from '../volume/volume.ts'
import { type DatasetJson, ignoreName, readDatasetJson } from './dataset-json.ts'
import { nameOf, namesIn } from './folder.ts'

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
  /** Labels by name, background and `ignore` left out; several where a name stands for a region. */
  readonly labels: ReadonlyMap<string, readonly number[]>
  /** The label of voxels that nobody has annotated. */
  readonly ignore?: number
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
  const { channelNames, labels, ignore, fileEnding = '.nii.gz' } = readIndex(indexPath)
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
  return { name: nameOf(folder), channelNames, labels, ...(ignore !== undefined && { ignore }), cases }
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
  { channelNames, fileEnding }: { readonly channelNames: readonly string[]; readonly fileEnding: string },
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

/**
 * Refuses a label map with voxels that nobody has annotated: a loss would learn them as background, and noise can move
 * no outline that is not known.
 *
 * @throws InputError where the label `ignore` occurs
 */
export function refuseIgnored(map: Volume, ignore: number | undefined, subject: string): void {
  if (ignore === undefined || !labelMapOf(map, subject).labels.includes(ignore)) return
  throw new InputError(subject, `has voxels of the label '${ignoreName}'; label them, or leave the case out`)
}

/** The patient of a case: its name without a trailing frame, time point, visit or scan number. */
export function patientOf(id: string): string {
  return id.replace(/[_-](frame|time|tp|visit|scan|session|ses|phase|t)[_-]?\d+$/i, '')
}

/** A `dataset.json` that names the channels of its images. */
function readIndex(path: string): DatasetJson {
  if (!existsSync(path)) {
    const remedy = "give a folder in nnU-Net's raw layout (dataset.json, imagesTr, labelsTr)"
    throw new InputError(path, `cannot be read; ${remedy}`)
  }
  const index = readDatasetJson(path)
  if (index.channelNames.length > 0) return index
  throw new InputError(path, `has no 'channel_names'; see nnU-Net's dataset_format.md`)
}

async function list(folder: string): Promise<string[]> {
  try {
    return await namesIn(folder)
  } catch {
    throw new InputError(folder, 'cannot be read; nnU-Net keeps images in imagesTr and labels in labelsTr')
  }
}
