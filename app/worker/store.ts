import { phantomCase } from '../../src/datasets/phantom/phantom.ts'
import { labelMarginals } from '../../src/noise/label-marginals.ts'
import { createSampler } from '../../src/noise/sampler.ts'
import { InputError } from '../../src/volume/errors.ts'
import { streamSeed } from '../../src/volume/random.ts'
import type { Volume } from '../../src/volume/volume.ts'
import { allFiles, keepFile } from '../node/files.ts'
import type { Given, Item, Opened, Role } from '../protocol.ts'
import { inFolders, itemOf, type Kept, openItem, pathsToOpen } from './items.ts'

/** All that is open. */
const items = new Map<number, Kept>()
let next = 1

export function itemAt(id: number): Kept {
  const item = items.get(id)
  if (!item) throw new InputError('file', 'is not open any more; open it again')
  return item
}

/** The volume of an item. Throws an InputError where it is an array of maps, which has none. */
export function volumeAt(id: number): Volume {
  const { volume, name } = itemAt(id)
  if (!volume) throw new InputError(name, 'is not held in memory; give a 3-D image for this')
  return volume
}

/** Opens what was given, one after the other; what cannot be read is told and the others go on. */
export async function open(
  { given: chosen, describe }: { readonly given: readonly Given[]; readonly describe: (error: unknown) => string },
  tell: (done: number) => void,
): Promise<Opened> {
  const given = inFolders(chosen)
  for (const { path, file } of given) keepFile(path, file)
  const paths = pathsToOpen(given.map(({ path }) => path))
  const opened: Kept[] = []
  const faults: string[] = []
  for (const [done, path] of paths.entries()) {
    tell(done / paths.length)
    try {
      opened.push(keep(await openItem(path, next)))
    } catch (error) {
      faults.push(describe(error))
    }
  }
  if (paths.length === 0)
    faults.push('nothing to open: give images (NIfTI, NRRD, MetaImage, DICOM) or .npz and .npy files')
  return { items: opened.map(shown), faults }
}

function keep(item: Kept): Kept {
  items.set(item.id, item)
  next = Math.max(next, item.id) + 1
  return item
}

function shown({ volume: _, path: __, ...item }: Kept): Item {
  return item
}

export function close(id: number): void {
  items.delete(id)
}

/** Takes an item for something else than its numbers suggest. Throws an InputError where it cannot be that. */
export function setRole({ id, role }: { readonly id: number; readonly role: Role }): Item {
  const { path, name, volume } = itemAt(id)
  if (!volume)
    throw new InputError(name, 'can only be probabilities; save it as a 3-D image to use it for something else')
  return shown(keep(itemOf(volume, { id, path, name }, undefined, role)))
}

/** A `dataset.json` among the files given. */
export function datasetJson(): string | undefined {
  return allFiles().find((path) => /(^|\/)dataset\.json$/.test(path))
}

/** How far annotators of the example differ: the probabilities are those of this noise. */
const exampleNoise = { sigmaMm: [4, 4, 4], lengthMm: 16 } as const

/** The built-in example: a phantom, the probabilities of its organs under label noise, and three annotators. */
export function openExample(): Opened {
  const { image, labels, names } = phantomCase(0, 0)
  const numbers = [...names.keys()]
  const { data } = labelMarginals(labels.data, labels.grid, numbers, exampleNoise.sigmaMm)
  const description = { labels: Object.fromEntries(names.map((name, label) => [name, label])) }
  keepFile('dataset.json', new Blob([JSON.stringify({ ...description, file_ending: '.nii.gz' })]))
  const sampler = createSampler(labels.data, labels.grid, exampleNoise)
  const labelNames = new Map(names.entries())
  const add = (name: string, volume: Volume, role: Role) =>
    keep(itemOf(volume, { id: next, path: name, name }, labelNames, role))
  const opened = [
    add('phantom_ct.nii.gz', image, 'image'),
    add('phantom_probabilities.nii.gz', { ...labels, channels: numbers.length, data }, 'probabilities'),
    ...[0, 1, 2].map((r) => {
      const drawn = sampler.sample(streamSeed(0, 'phantom'), r)
      return add(`annotator_${'abc'[r]}.nii.gz`, { ...labels, data: drawn }, 'labels')
    }),
    keep({ ...add('phantom_labels.nii.gz', labels, 'labels'), truth: true }),
  ]
  return { items: opened.map(shown), faults: [] }
}
