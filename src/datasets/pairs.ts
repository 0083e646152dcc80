import { existsSync } from 'node:fs'
import { readVolume } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { checkLabelNumber, checkLabelSets } from '../volume/label-numbers.ts'
import { type Dataset, type DatasetCase, patientRule } from './dataset.ts'
import { nameOf, namesIn } from './folder.ts'
import { patientOf } from './nnunet.ts'
import { onGrid } from './same-grid.ts'
import { slashed } from './slashed.ts'

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
 * Image and label pairs that two patterns name. An image without a label map, or a label map without an image, is
 * listed with that fault.
 *
 * @throws InputError where a pattern has no `{case}`, no image matches, no image has a label map, or label numbers are
 * none
 */
export async function openPairs(spec: PairsSpec): Promise<Dataset> {
  const { labelNames, resampleLabels = false } = spec
  const [images, labels] = [slashed(spec.images), slashed(spec.labels)]
  for (const [key, pattern] of Object.entries({ images, labels })) {
    if (!pattern.includes('{case}')) {
      throw new InputError(`data.${key}`, `'${pattern}' has no {case}; write it where the case's name stands`)
    }
  }
  const names = Object.entries(labelNames).map(([name, value]) => {
    return { name, labels: [checkLabelNumber(value, 'data.labelNames', `label '${name}'`)] }
  })
  checkLabelSets(names, 'data.labelNames')
  const rule = patientRule(spec.patient, patientOf)
  const [imageIds, labelIds] = [await matching(images, 'data.images'), await matching(labels, 'data.labels')]
  // Where both patterns lie in one folder, labels look like images of other cases.
  const labelFiles = new Set(imageIds.map((id) => pathOf(labels, id)))
  const ids = imageIds.filter((id) => !labelFiles.has(pathOf(images, id)))
  if (ids.length === 0) throw new InputError('data.images', `no file matches '${images}'; correct the pattern`)
  const [known, imageFiles] = [new Set(ids), new Set(ids.map((id) => pathOf(images, id)))]
  // Where even images look like labels, so may any other file: nothing then tells a label map without an image.
  const loose = labelIds.some((id) => imageFiles.has(pathOf(labels, id)))
  const alone = loose ? [] : labelIds.filter((id) => !known.has(id))
  const cases = [...ids, ...alone].sort().map((id): DatasetCase => {
    const [image, label] = [pathOf(images, id), pathOf(labels, id)]
    const files = { images: [image], labels: [label] }
    const without = (path: string, of: string, remedy: string) => {
      const fault = new InputError(path, `is missing for the ${of}; restore it, or take the ${remedy} away`)
      return { id, patient: id, ...files, fault }
    }
    if (!known.has(id)) return without(image, `label map ${label}`, 'label map')
    if (!existsSync(label)) return without(label, `image ${image}`, 'image')
    return { id, patient: rule(id), ...files }
  })
  if (!ids.some((id) => existsSync(pathOf(labels, id)))) {
    const example = `'${pathOf(labels, ids[0])}' for one`
    throw new InputError('data.labels', `no image has a label map '${labels}' (${example}); correct the pattern`)
  }
  return {
    name: nameOf(folderOf(images)),
    labels: new Map(names.map(({ name, labels }) => [name, labels])),
    leftOut: [],
    cases,
    async load({ images: [imagePath], labels: [labelPath] }) {
      const image = await readVolume(imagePath)
      return { image, labels: onGrid(await readVolume(labelPath), image.grid, resampleLabels, labelPath) }
    },
  }
}

/** The case names for which the pattern names a file: `{case}` may be a folder's name, a file's, or both. */
async function matching(pattern: string, key: string): Promise<string[]> {
  const parts = pattern.split('/')
  const at = parts.findIndex((part) => part.includes('{case}'))
  const folder = folderOf(pattern)
  const [before, after] = [parts[at].slice(0, parts[at].indexOf('{case}')), parts[at].split('{case}').slice(1)]
  const ending = after.join('{case}')
  let names: string[]
  try {
    names = await namesIn(folder)
  } catch {
    throw new InputError(key, `the folder '${folder}' cannot be read; correct the pattern`)
  }
  return names
    .filter((name) => name.startsWith(before) && name.endsWith(ending.includes('{case}') ? '' : ending))
    .map((name) => name.slice(before.length, ending.includes('{case}') ? undefined : name.length - ending.length))
    .filter((id) => id !== '' && existsSync(pathOf(pattern, id)))
    .sort()
}

/** The folder in which cases lie: what stands before the first part with `{case}`. */
function folderOf(pattern: string): string {
  const parts = pattern.split('/')
  const above = parts.slice(
    0,
    parts.findIndex((part) => part.includes('{case}')),
  )
  return above.join('/') || (pattern.startsWith('/') ? '/' : '.')
}

function pathOf(pattern: string, id: string): string {
  return pattern.replaceAll('{case}', id)
}
