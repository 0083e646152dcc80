import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { InputError } from '../volume/errors.ts'

export interface NnunetCase {
  readonly id: string
  /** Cases of one patient share it; folds never part them. */
  readonly patient: string
  /** One file a channel. */
  readonly images: readonly string[]
  readonly label: string
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
 * and `labelsTr/CASE.nii.gz`. No image is opened.
 *
 * @throws InputError naming the file that is missing or wrong
 */
export async function readNnunetDataset(folder: string): Promise<NnunetDataset> {
  const indexPath = join(folder, 'dataset.json')
  const index = parseIndex(await readText(indexPath), indexPath)
  const ending = index.fileEnding
  const imageFiles = new Set(await list(join(folder, 'imagesTr')))
  const labelFiles = (await list(join(folder, 'labelsTr'))).filter((file) => file.endsWith(ending)).sort()
  if (labelFiles.length === 0) throw new InputError(folder, `has no label maps labelsTr/*${ending}; check the folder`)
  const cases = labelFiles.map((file): NnunetCase => {
    const id = file.slice(0, -ending.length)
    const images = index.channelNames.map((_, channel) => {
      const name = `${id}_${String(channel).padStart(4, '0')}${ending}`
      if (!imageFiles.has(name))
        throw new InputError(join(folder, 'imagesTr', name), `is missing for the label ${file}`)
      return join(folder, 'imagesTr', name)
    })
    return { id, patient: patientOf(id), images, label: join(folder, 'labelsTr', file) }
  })
  return { name: basename(folder), channelNames: index.channelNames, labels: index.labels, cases }
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
    return await readdir(folder)
  } catch {
    throw new InputError(folder, 'cannot be read; nnU-Net keeps images in imagesTr and labels in labelsTr')
  }
}
