import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { dsvFormat } from 'd3-dsv'
import { readRegularFile } from '../formats/read-file.ts'
import { readVolume } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { labelMapOf } from '../volume/labels.ts'
import { type Dataset, type DatasetCase, patientRule } from './dataset.ts'
import { nameOf, namesIn } from './folder.ts'
import { onGrid } from './same-grid.ts'

export interface TotalSegmentatorSpec {
  readonly kind: 'totalsegmentator'
  readonly folder: string
  /** Only cases whose `split` in meta.csv is this one (train, val, test). */
  readonly split?: string
  readonly patient?: string
  readonly resampleLabels?: boolean
}

export const imageNames = ['ct.nii.gz', 'mri.nii.gz']

/**
 * The TotalSegmentator data set as downloaded, versions 1 and 2: `sNNNN/ct.nii.gz` (or `mri.nii.gz`) and one mask an
 * organ, `sNNNN/segmentations/ORGAN.nii.gz`. Each image is one patient unless a pattern says otherwise. The label map
 * of a case has the value n for the n-th of `organs`; where masks overlap, the first organ keeps the voxel. An organ
 * without a file in a case is absent there.
 *
 * @param organs the masks that are read
 * @throws InputError where the folder holds no case, or none of the split, or no case has one of the organs
 */
export async function openTotalSegmentator(spec: TotalSegmentatorSpec, organs: readonly string[]): Promise<Dataset> {
  const { folder, split, resampleLabels = false } = spec
  const patientOf = patientRule(spec.patient, (id) => id)
  const ids = await caseFolders(folder)
  const chosen = split === undefined ? ids : await ofSplit(split, ids, join(folder, 'meta.csv'))
  const cases: DatasetCase[] = []
  const leftOut: { id: string; reason: string }[] = []
  for (const id of chosen) {
    const image = imageNames.map((name) => join(folder, id, name)).find(existsSync)
    if (image === undefined) {
      leftOut.push({ id, reason: `has no ${imageNames.join(' or ')}` })
      continue
    }
    const masks = organs.map((organ) => maskPath(folder, id, organ)).filter(existsSync)
    cases.push({ id, patient: patientOf(id), images: [image], labels: masks })
  }
  if (cases.length === 0) {
    throw new InputError(folder, `none of ${leftOut.length} cases has ${imageNames.join(' or ')}; add the images`)
  }
  for (const organ of organs) {
    const file = `${organ}.nii.gz`
    if (!cases.some(({ labels }) => labels.some((path) => basename(path) === file))) {
      throw new InputError(folder, `no case has segmentations/${file}; check the organ's name`)
    }
  }
  return {
    name: nameOf(folder),
    labels: new Map(organs.map((organ, i) => [organ, [i + 1]])),
    cases,
    leftOut,
    async load({ id, images: [path] }) {
      const image = await readVolume(path)
      const data = new Uint8Array(image.data.length / image.channels)
      for (const [i, organ] of organs.entries()) {
        const file = maskPath(folder, id, organ)
        if (!existsSync(file)) continue
        const { values } = labelMapOf(onGrid(await readVolume(file), image.grid, resampleLabels, file), file)
        for (let at = 0; at < data.length; at++) if (values[at] !== 0 && data[at] === 0) data[at] = i + 1
      }
      return { image, labels: { grid: image.grid, channels: 1, data } }
    },
  }
}

function maskPath(folder: string, id: string, organ: string): string {
  return join(folder, id, 'segmentations', `${organ}.nii.gz`)
}

/** The cases of the folder: what has `segmentations`. */
export async function caseFolders(folder: string): Promise<string[]> {
  const remedy = 'give the folder of the unpacked TotalSegmentator data'
  let names: string[]
  try {
    names = await namesIn(folder)
  } catch {
    throw new InputError(folder, `cannot be read; ${remedy}`)
  }
  const ids = names.filter((id) => existsSync(join(folder, id, 'segmentations')))
  if (ids.length === 0) throw new InputError(folder, `holds no sNNNN/segmentations; ${remedy}`)
  return ids
}

/** The cases that meta.csv assigns to the split. */
async function ofSplit(split: string, ids: readonly string[], meta: string): Promise<string[]> {
  const splits = await readSplits(meta)
  const chosen = ids.filter((id) => splits.get(id) === split)
  if (chosen.length > 0) return chosen
  const found = [...new Set(ids.map((id) => splits.get(id) ?? ''))].filter((name) => name !== '').sort()
  if (found.length === 0) throw new InputError(meta, 'gives no case of this folder a split; leave data.split out')
  const fault = `'${split}' is no split of these cases (${meta} has ${found.join(', ')})`
  throw new InputError('data.split', `${fault}; write one of these, or leave it out`)
}

/** `split` by `image_id` of meta.csv (semicolons, or commas). */
async function readSplits(path: string): Promise<Map<string, string>> {
  let text: string
  try {
    text = (await readRegularFile(path)).toString('utf8')
  } catch {
    throw new InputError(path, 'is missing or cannot be read, so no split can be chosen; leave data.split out')
  }
  const plain = text.replace(/^\uFEFF/, '')
  const [head = [], ...rows] = dsvFormat(plain.split('\n', 1)[0].includes(';') ? ';' : ',').parseRows(plain)
  const [id, split] = ['image_id', 'split'].map((name) => {
    const at = head.indexOf(name)
    if (at >= 0) return at
    throw new InputError(path, `has no column '${name}'; take the file of the download, or leave data.split out`)
  })
  return new Map(rows.map((row) => [row[id] ?? '', row[split] ?? '']))
}
