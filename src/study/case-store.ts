import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dataset, DatasetCase } from '../datasets/dataset.ts'
import { readVolume, writeVolume } from '../formats/volume-file.ts'
import { resampledSize, resampleLinear, resampleNearest } from '../training/resample.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, type Vec3, vec3, voxelCount, worldPosition } from '../volume/grid.ts'
import { type LabelArray, labelMapOf } from '../volume/labels.ts'
import { realValues } from '../volume/scaling.ts'
import { channelOf, type Volume } from '../volume/volume.ts'

/** A case on the study's grid. */
export interface StudyImage {
  readonly image: Volume
  readonly labels: Volume<LabelArray>
}

/**
 * Reads cases as the study sees them. Where making one takes time (resampling, many masks, the phantom), the result is
 * kept in a cache folder, which may be deleted at any time.
 */
export class CaseStore {
  readonly #dataset: Dataset
  readonly #spacingMm: readonly (number | null)[] | undefined
  readonly #cached: boolean
  /** Where cached files lie: one folder for each way of making cases. */
  readonly folder: string

  /** @param key what else the cached files depend on: the data's place and layout */
  constructor(dataset: Dataset, spacingMm: readonly (number | null)[] | undefined, cacheFolder: string, key: unknown) {
    this.#dataset = dataset
    this.#spacingMm = spacingMm
    this.#cached =
      spacingMm !== undefined ||
      !dataset.cases.every(({ images, labels }) => images.length === 1 && labels.length === 1)
    this.folder = join(cacheFolder, digestOf(JSON.stringify([key, spacingMm ?? null, 1])))
  }

  /** @throws InputError naming the file at fault */
  async load(one: DatasetCase): Promise<StudyImage> {
    if (!this.#cached) return this.#make(one)
    const version = digestOf(await fileStamps(one))
    // Uncompressed, so that reading is as fast as the disk.
    const files = ['image', 'labels'].map((kind) => join(this.folder, `${one.id}_${version}_${kind}.nii`))
    if (!files.every(existsSync)) {
      const made = await this.#make(one)
      await mkdir(this.folder, { recursive: true })
      await writeVolume(files[0], { ...made.image, header: undefined })
      await writeVolume(files[1], { ...made.labels, header: undefined })
    }
    // What was just made is read back too: the file rounds the affine, and first and later runs must see the same one.
    const [image, labels] = await Promise.all(files.map(readVolume))
    return { image, labels: withValues(labels, files[1]) }
  }

  async #make(one: DatasetCase): Promise<StudyImage> {
    const { image, labels } = await this.#dataset.load(one)
    const subject = one.labels.at(-1) ?? one.id
    return resampled(image, withValues(labels, subject), this.#spacingMm)
  }
}

/** Sizes and times of a case's files: what was made from them is made anew when these change. */
export async function fileStamps({ images, labels }: DatasetCase): Promise<string> {
  const all = await Promise.all(
    [...images, ...labels].map(async (path) => {
      const found = await stat(path).catch(() => undefined)
      if (found === undefined) throw new InputError(path, 'is missing or cannot be read; restore it')
      return `${found.size}@${found.mtimeMs}`
    }),
  )
  return all.join()
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/** Labels in as few bytes as they need: several copies of them are in memory while a network trains. */
function withValues(labels: Volume, subject: string): Volume<LabelArray> {
  const { values, labels: found } = labelMapOf(labels, subject)
  const small = found.every((label) => label >= 0 && label < 256)
  return { grid: labels.grid, channels: 1, data: small ? Uint8Array.from(values) : Int32Array.from(values) }
}

function resampled(
  image: Volume,
  labels: Volume<LabelArray>,
  spacingMm: readonly (number | null)[] | undefined,
): StudyImage {
  const { shape, spacing } = image.grid
  const target = vec3((axis) => spacingMm?.[axis] ?? spacing[axis])
  const size = resampledSize(shape, spacing, target)
  if (size.every((n, axis) => n === shape[axis])) return { image, labels }
  const grid = resizedGrid(image.grid, size)
  const voxels = voxelCount(grid)
  const data = new Float32Array(voxels * image.channels)
  for (let channel = 0; channel < image.channels; channel++) {
    const real = realValues(channelOf(image, channel), image.scaling)
    data.set(resampleLinear(real, shape, size), channel * voxels)
  }
  const values =
    labels.data instanceof Uint8Array
      ? resampleNearest(labels.data, shape, size)
      : Int32Array.from(resampleNearest(Uint32Array.from(labels.data), shape, size))
  return {
    image: { grid, channels: image.channels, data },
    labels: { grid, channels: 1, data: values },
  }
}

/** The grid of another number of voxels over the same space. */
function resizedGrid(grid: Grid, size: Vec3): Grid {
  const ratio = vec3((axis) => grid.shape[axis] / size[axis])
  const first = vec3((axis) => (ratio[axis] - 1) / 2)
  return {
    ...grid,
    shape: size,
    spacing: vec3((axis) => grid.spacing[axis] * ratio[axis]),
    origin: worldPosition(grid, first),
  }
}
