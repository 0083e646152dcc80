import { caseName } from '../datasets/image-names.ts'
import { openVolume, readGeometry } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { gridDifference } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { type CaseMaps, type NumberOptions, placedAt, type StoredNumbers } from './case-maps.ts'

/** What an image gives to masks. */
export type ImageGeometry = Pick<CaseMaps, 'grid' | 'header'>

/** An image file (3-D: one map, 4-D: one a volume) as maps; its header is read and checked now. */
export async function openImageMaps(path: string, { scale, logits }: NumberOptions): Promise<CaseMaps> {
  const { stored, ...image } = await imageFile(path)
  return {
    input: path,
    name: caseName(path),
    ...image,
    hasGeometry: true,
    stored: [stored],
    placement: placedAt(image.grid),
    numbers: { scale, logits },
    warnings: [],
  }
}

/** An image in memory as the maps of a case, as `openImageMaps` makes them of its file. */
export function volumeMaps(input: string, volume: Volume, { scale, logits }: NumberOptions): CaseMaps {
  const { grid, channels, data, scaling, header } = volume
  const stored: StoredNumbers = {
    subject: input,
    ...(scaling && { scaling }),
    async *chunks() {
      yield data
    },
  }
  return {
    input,
    name: caseName(input),
    grid,
    channels,
    ...(header !== undefined && { header }),
    hasGeometry: true,
    stored: [stored],
    placement: placedAt(grid),
    numbers: { scale, logits },
    warnings: [],
  }
}

/** One 3-D image a class, in the order given, as the maps of one case. */
export async function openClassFiles(
  input: string,
  name: string,
  paths: readonly string[],
  { scale, logits }: NumberOptions,
): Promise<CaseMaps> {
  const files: Awaited<ReturnType<typeof imageFile>>[] = []
  for (const path of paths) files.push(await imageFile(path))
  const [{ grid, header }] = files
  for (const [i, { grid: own, channels }] of files.entries()) {
    if (channels !== 1) {
      throw new InputError(
        paths[i],
        `has ${channels} maps, beside other images; give one 3-D image a class, or this file itself`,
      )
    }
    const difference = gridDifference(grid, own)
    if (difference) throw new InputError(paths[i], `lies on another grid than ${paths[0]}: ${difference}; resample it`)
  }
  return {
    input,
    name,
    grid,
    ...(header !== undefined && { header }),
    hasGeometry: true,
    channels: files.length,
    names: paths.map(caseName),
    stored: files.map(({ stored }) => stored),
    placement: placedAt(grid),
    numbers: { scale, logits },
    warnings: [],
  }
}

async function imageFile(path: string) {
  const head = await openVolume(path)
  await head.close()
  const { grid, channels, header, scaling } = head
  const stored: StoredNumbers = {
    subject: path,
    ...(scaling && { scaling }),
    async *chunks(into) {
      yield* (await openVolume(path)).chunks(into)
    },
  }
  return { grid, channels, stored, ...(header !== undefined && { header }) }
}

/** The image that gives masks their geometry and header. */
export async function openGeometry(path: string): Promise<ImageGeometry> {
  const { grid, header } = await readGeometry(path)
  return { grid, ...(header !== undefined && { header }) }
}

/** The maps where they lie, as those of the images that a DICOM segmentation of them refers to. */
export async function withImages<M extends Pick<CaseMaps, 'grid' | 'header'>>(maps: M, like: string): Promise<M> {
  const { header } = await readGeometry(like)
  return { ...maps, header }
}

/**
 * The maps with the geometry of an image, and a warning where their own differs.
 *
 * @throws InputError where the extents differ
 */
export function withGeometry(source: CaseMaps, image: ImageGeometry, path: string): CaseMaps {
  const [have, want] = [source, image].map(({ grid }) => grid.shape.join('×'))
  if (have !== want) {
    throw new InputError(source.input, `has ${have} voxels, ${path} has ${want}; give the image it belongs to`)
  }
  const { header: _, ...maps } = source
  const difference = gridDifference(source.grid, image.grid)
  const warnings = difference
    ? [`${path} lies elsewhere than ${source.input} itself (${difference}); the mask gets the grid of ${path}`]
    : []
  return { ...maps, ...image, warnings: [...source.warnings, ...warnings] }
}
