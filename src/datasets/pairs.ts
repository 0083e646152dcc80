import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { readVolume } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { type Dataset, patientRule } from './dataset.ts'
import { patientOf } from './nnunet.ts'
import { onGrid } from './same-grid.ts'

export interface PairsSpec {
  readonly kind: 'pairs'
  /** Path of an image with `{case}` where the case's name stands: `scans/{case}_t1.nii.gz`. */
  readonly images: string
  /** Path of its label map, likewise. */
  readonly labels: string
  /** Label values by name. */
  readonly labelNames: Readonly<Record<string, number>>
  readonly patient?: string
  readonly resampleLabels?: boolean
}

/**
 * Image and label pairs that two patterns name.
 *
 * @throws InputError where a pattern has no `{case}`, no image matches, or an image has no label
 */
export async function openPairs(spec: PairsSpec): Promise<Dataset> {
  const { images, labels, labelNames, resampleLabels = false } = spec
  for (const [key, pattern] of Object.entries({ images, labels })) {
    if (!pattern.includes('{case}')) {
      throw new InputError(`data.${key}`, `'${pattern}' has no {case}; write it where the case's name stands`)
    }
  }
  const rule = patientRule(spec.patient, patientOf)
  const found = await matching(images)
  // Where both patterns lie in one folder, labels look like images of other cases.
  const labelFiles = new Set(found.map((id) => pathOf(labels, id)))
  const ids = found.filter((id) => !labelFiles.has(pathOf(images, id)))
  if (ids.length === 0) throw new InputError('data.images', `no file matches '${images}'; correct the pattern`)
  for (const id of ids) {
    const label = pathOf(labels, id)
    if (!existsSync(label)) throw new InputError(label, `is missing for the image ${pathOf(images, id)}`)
  }
  return {
    name: basename(dirname(resolve(images))),
    labels: new Map(Object.entries(labelNames).map(([name, value]) => [name, [value]])),
    leftOut: [],
    cases: ids.map((id) => ({ id, patient: rule(id), files: [pathOf(images, id), pathOf(labels, id)] })),
    async load({ files: [imagePath, labelPath] }) {
      const image = await readVolume(imagePath)
      return { image, labels: onGrid(await readVolume(labelPath), image.grid, resampleLabels, labelPath) }
    },
  }
}

/** The case names for which the pattern names a file: `{case}` may be a folder's name, a file's, or both. */
async function matching(pattern: string): Promise<string[]> {
  const parts = pattern.split('/')
  const at = parts.findIndex((part) => part.includes('{case}'))
  const folder = parts.slice(0, at).join('/') || (pattern.startsWith('/') ? '/' : '.')
  const [before, after] = [parts[at].slice(0, parts[at].indexOf('{case}')), parts[at].split('{case}').slice(1)]
  const ending = after.join('{case}')
  let names: string[]
  try {
    names = await readdir(folder)
  } catch {
    throw new InputError('data.images', `the folder '${folder}' cannot be read; correct the pattern`)
  }
  return names
    .filter((name) => name.startsWith(before) && name.endsWith(ending.includes('{case}') ? '' : ending))
    .map((name) => name.slice(before.length, ending.includes('{case}') ? undefined : name.length - ending.length))
    .filter((id) => id !== '' && existsSync(pathOf(pattern, id)))
    .sort()
}

function pathOf(pattern: string, id: string): string {
  return pattern.replaceAll('{case}', id)
}
