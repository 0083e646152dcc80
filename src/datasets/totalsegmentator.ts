import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { readVolume } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { labelMapOf } from '../volume/labels.ts'
import { type Dataset, type DatasetCase, patientRule } from './dataset.ts'
import { onGrid } from './same-grid.ts'

export interface TotalSegmentatorSpec {
  readonly kind: 'totalsegmentator'
  readonly folder: string
  /** Only cases whose `split` in meta.csv is this one (train, val, test). */
  readonly split?: string
  readonly patient?: string
  readonly resampleLabels?: boolean
}

const IMAGES = ['ct.nii.gz', 'mri.nii.gz']

/**
 * The TotalSegmentator data set as downloaded, versions 1 and 2: `sNNNN/ct.nii.gz` (or `mri.nii.gz`) and one mask an
 * organ, `sNNNN/segmentations/ORGAN.nii.gz`. Each image is one patient unless a pattern says otherwise. The label map of
 * a case has the value n for the n-th of `organs`; where masks overlap, the first organ keeps the voxel. An organ without
 * a file in a case is absent there.
 *
 * @param organs the masks that are read
 * @throws InputError where the folder holds no case, or no case has one of the organs
 */
export async function openTotalSegmentator(spec: TotalSegmentatorSpec, organs: readonly string[]): Promise<Dataset> {
  const { folder, split, resampleLabels = false } = spec
  const patientOf = patientRule(spec.patient, (id) => id)
  const splits = await readSplits(join(folder, 'meta.csv'))
  if (split !== undefined && splits === undefined) {
    throw new InputError(join(folder, 'meta.csv'), 'is missing, so no split can be chosen; leave data.split out')
  }
  const cases: DatasetCase[] = []
  const leftOut: { id: string; reason: string }[] = []
  for (const id of (await subfolders(folder)).sort()) {
    const segmentations = join(folder, id, 'segmentations')
    if (!existsSync(segmentations)) continue
    if (split !== undefined && splits?.get(id) !== split) continue
    const image = IMAGES.map((name) => join(folder, id, name)).find(existsSync)
    if (image === undefined) {
      leftOut.push({ id, reason: `has no ${IMAGES.join(' or ')}` })
      continue
    }
    const masks = organs.map((organ) => maskPath(segmentations, organ)).filter(existsSync)
    cases.push({ id, patient: patientOf(id), files: [image, ...masks] })
  }
  if (cases.length === 0 && leftOut.length === 0) {
    throw new InputError(folder, 'holds no sNNNN/segmentations; give the folder of the unpacked TotalSegmentator data')
  }
  for (const organ of organs) {
    const file = `${organ}.nii.gz`
    if (!cases.some(({ files }) => files.some((path) => basename(path) === file))) {
      throw new InputError(folder, `no case has segmentations/${file}; check the organ's name`)
    }
  }
  return {
    name: basename(resolve(folder)),
    labels: new Map(organs.map((organ, i) => [organ, [i + 1]])),
    cases,
    leftOut,
    async load({ id, files: [path] }) {
      const image = await readVolume(path)
      const data = new Uint8Array(image.data.length / image.channels)
      for (const [i, organ] of organs.entries()) {
        const file = maskPath(join(folder, id, 'segmentations'), organ)
        if (!existsSync(file)) continue
        const { values } = labelMapOf(onGrid(await readVolume(file), image.grid, resampleLabels, file), file)
        for (let at = 0; at < data.length; at++) if (values[at] !== 0 && data[at] === 0) data[at] = i + 1
      }
      return { image, labels: { grid: image.grid, channels: 1, data } }
    },
  }
}

function maskPath(segmentations: string, organ: string): string {
  return join(segmentations, `${organ}.nii.gz`)
}

async function subfolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.filter((e) => e.isDirectory() || e.isSymbolicLink()).map((e) => e.name)
  } catch {
    throw new InputError(folder, 'cannot be read; give the folder of the unpacked TotalSegmentator data')
  }
}

/** `split` by `image_id` of meta.csv (semicolons, or commas), or undefined where there is no such file. */
async function readSplits(path: string): Promise<Map<string, string> | undefined> {
  if (!existsSync(path)) return undefined
  const [head = '', ...lines] = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '').split(/\r?\n/)
  const separator = head.includes(';') ? ';' : ','
  const names = head.split(separator)
  const [id, split] = [names.indexOf('image_id'), names.indexOf('split')]
  if (id < 0) throw new InputError(path, "has no column 'image_id'; take the file of the download, or delete it")
  return new Map(lines.filter(Boolean).map((line) => [line.split(separator)[id], line.split(separator)[split] ?? '']))
}
