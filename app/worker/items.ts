import { isWholeImageName } from '../../src/datasets/image-folder.ts'
import { caseName, isImageName } from '../../src/datasets/image-names.ts'
import { imageFormat } from '../../src/formats/image-format.ts'
import { openVolume, readLabelNames, readVolume } from '../../src/formats/volume-file.ts'
import { openMapArray } from '../../src/maps/map-array.ts'
import { InputError } from '../../src/volume/errors.ts'
import { createGrid, voxelCount } from '../../src/volume/grid.ts'
import { labelMapOf } from '../../src/volume/labels.ts'
import { realValue, unscaled } from '../../src/volume/scaling.ts'
import { roundOff } from '../../src/volume/value-summary.ts'
import type { Volume } from '../../src/volume/volume.ts'
import { entriesOf } from '../node/files.ts'
import { dirname } from '../node/path.ts'
import type { Given, Item, Role } from '../protocol.ts'

/** What the worker keeps of an item: a volume in memory, or an array of maps that is read from its file. */
export type Kept = Item & { readonly path: string; readonly volume?: Volume }

/** More labels than this are the values of an image of bytes: no structure list of an organ atlas is as long. */
const mostLabels = 120

/** Fewer slices than this are files of their own, such as segmentations. */
const fewestSlices = 3

/** Slices that were chosen one by one lie in a folder of their own, as those of a folder that was dropped do. */
export function inFolders(given: readonly Given[]): readonly Given[] {
  const isLoose = ({ path }: Given) => !path.includes('/') && !isArray(path) && !isImageName(path) && !isSidecar(path)
  if (given.filter(isLoose).length < fewestSlices) return given
  return given.map((one) => (isLoose(one) ? { ...one, path: `DICOM series/${one.path}` } : one))
}

/** What of the files given is something to open by itself: not the second file of a pair, nor properties. */
export function pathsToOpen(given: readonly string[]): string[] {
  const arrays = new Set(given.filter(isArray).map(stem))
  const series = new Set<string>()
  const paths: string[] = []
  for (const path of given) {
    if (isArray(path)) paths.push(path)
    else if (isWholeImageName(path)) {
      // nnU-Net's own segmentation, from which the array takes its geometry.
      if (!arrays.has(stem(path))) paths.push(path)
    } else if (!isImageName(path) && !isSidecar(path)) {
      const folder = dirname(path)
      const alone = entriesOf(folder).filter(({ name, folder: isFolder }) => !isFolder && !isSidecar(name)).length === 1
      if (alone || folder === '') paths.push(path)
      else series.add(folder)
    }
  }
  return [...paths, ...series]
}

export const isArray = (path: string): boolean => /\.np[yz]$/i.test(path)
const stem = (path: string): string => `${dirname(path)}/${caseName(path)}`
const isSidecar = (path: string): boolean =>
  /\.(pkl|json|txt|csv|raw|zraw|raw\.gz|DS_Store)$|(^|\/)(DICOMDIR|\._.*)$/i.test(path)

/** Opens a file or a series. Throws an InputError that says why it cannot. */
export async function openItem(path: string, id: number): Promise<Kept> {
  const name = path.split('/').at(-1) ?? path
  if (isArray(path)) {
    const { shape, channels } = await openMapArray(path)
    const [z, y, x] = shape
    return { id, path, name, role: 'probabilities', channels, grid: createGrid([x, y, z]) }
  }
  const large = await largeMaps(path)
  if (large) return { id, path, name, role: 'probabilities', ...large }
  const volume = await readVolume(path)
  const isDicom = ['dicom', 'series'].includes(await imageFormat(path))
  return itemOf(volume, { id, path, name }, isDicom ? await readLabelNames(path) : undefined)
}

/** Maps that take more than this in memory are read from their file, one at a time, whenever one is asked for. */
const mostBytes = 600e6

/** What the header of an image of many maps says; undefined where it is one map, or the image fits into memory. */
async function largeMaps(path: string): Promise<Pick<Kept, 'grid' | 'channels'> | undefined> {
  // Other formats are read whole by whoever opens them.
  if ((await imageFormat(path)) !== 'nifti') return undefined
  const { grid, channels, close } = await openVolume(path)
  await close()
  const bytes = voxelCount(grid) * channels * Float32Array.BYTES_PER_ELEMENT
  return channels > 1 && bytes > mostBytes ? { grid, channels } : undefined
}

/** What a volume is taken for, by its numbers. */
export function itemOf(
  volume: Volume,
  about: Pick<Kept, 'id' | 'path' | 'name'>,
  names: ReadonlyMap<number, string> | undefined = volume.labelNames,
  role = roleOf(volume),
): Kept {
  const { grid, channels } = volume
  const { format, fault } = (volume.header ?? {}) as { readonly format?: string; readonly fault?: unknown }
  const dicom = format === 'dicom' && fault === undefined
  const item = { ...about, role, grid, channels, volume, ...(dicom && { dicom }) }
  if (role === 'probabilities') {
    const { high } = rangeOf(volume)
    return high > 1 + roundOff ? { ...item, largest: high } : item
  }
  if (role !== 'labels') return item
  const { labels } = labelMapOf(volume, about.name)
  const named = labels.filter((label) => label !== 0).map((label) => ({ label, name: names?.get(label) }))
  return { ...item, labels: named.map(({ label, name }) => (name === undefined ? { label } : { label, name })) }
}

export function roleOf(volume: Volume): Role {
  if (volume.channels === 1) {
    const labels = labelsIn(volume)
    if (labels !== undefined && labels.length <= mostLabels) return 'labels'
  }
  const { low, high } = rangeOf(volume)
  return low >= -roundOff && high <= 1 + roundOff ? 'probabilities' : 'image'
}

function labelsIn(volume: Volume): readonly number[] | undefined {
  try {
    return labelMapOf(volume, 'labels').labels
  } catch (error) {
    if (error instanceof InputError) return undefined
    throw error
  }
}

/** The smallest and largest real value; NaN is passed over. */
export function rangeOf({ data, scaling = unscaled }: Volume): { low: number; high: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < data.length; i++) {
    if (data[i] < low) low = data[i]
    if (data[i] > high) high = data[i]
  }
  const ends = [realValue(low, scaling), realValue(high, scaling)]
  return { low: Math.min(...ends), high: Math.max(...ends) }
}
