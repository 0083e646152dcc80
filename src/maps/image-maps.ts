import { basename } from 'node:path'
import { openVolume, readVolume } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { gridDifference, voxelCount } from '../volume/grid.ts'
import { probabilitiesOf } from '../volume/probabilities.ts'
import type { CaseMaps, MapOptions } from './case-maps.ts'
import { caseName } from './names.ts'
import { readMaps, type StoredMaps } from './read-maps.ts'

/** An image file (3-D: one map, 4-D: one a volume) as maps; its header is read and checked now. */
export async function openImageMaps(path: string, options: MapOptions): Promise<CaseMaps> {
  const { stored, ...head } = await imageFile(path)
  const shared = { input: path, name: caseName(path), ...head, channels: stored.channels }
  // One map: read in place, in one volume's memory. Several: one at a time, streamed.
  if (stored.channels === 1 && options.logits === undefined) return { ...shared, maps: () => wholeMap(path, options) }
  return { ...shared, maps: () => readMaps(stored, options) }
}

/** One 3-D image a class, in the order given, as the maps of one case. */
export async function openClassFiles(
  input: string,
  name: string,
  paths: readonly string[],
  options: MapOptions,
): Promise<CaseMaps> {
  const files: Awaited<ReturnType<typeof imageFile>>[] = []
  for (const path of paths) files.push(await imageFile(path))
  const [first] = files
  for (const [i, { grid, stored }] of files.entries()) {
    if (stored.channels !== 1) throw new InputError(paths[i], `has ${stored.channels} maps; give a 3-D image a class`)
    const difference = gridDifference(first.grid, grid)
    if (difference) throw new InputError(paths[i], `lies on another grid than ${paths[0]}: ${difference}; resample it`)
  }
  const { header, grid } = first
  const names = paths.map(caseName)
  const shared = { input, name, grid, header, channels: files.length, names }
  if (options.logits === 'softmax') {
    const scaled = files.find(({ stored }) => stored.scaling)
    if (scaled)
      throw new InputError(scaled.stored.subject, 'is scaled (scl_slope); save logits of separate files as float32')
    const stored: StoredMaps = {
      subject: input,
      channels: files.length,
      voxels: voxelCount(grid),
      async *chunks() {
        for (const file of files) yield* file.stored.chunks()
      },
    }
    return { ...shared, maps: () => readMaps(stored, options) }
  }
  return {
    ...shared,
    async *maps() {
      for (const { stored } of files) yield* readMaps(stored, options)
    },
  }
}

async function imageFile(path: string) {
  const head = await openVolume(path)
  await head.close()
  const { grid, channels, header, scaling } = head
  const stored: StoredMaps = {
    subject: path,
    channels,
    voxels: voxelCount(grid),
    ...(scaling && { scaling }),
    async *chunks() {
      yield* (await openVolume(path)).chunks()
    },
  }
  return { grid, stored, ...(header !== undefined && { header }) }
}

async function* wholeMap(path: string, options: MapOptions): AsyncGenerator<Float32Array> {
  yield probabilitiesOf(await readVolume(path), path, options)
}

/** The image that gives masks their geometry and header. */
export async function openGeometry(path: string): Promise<Pick<CaseMaps, 'grid' | 'header'>> {
  const image = await openVolume(path)
  await image.close()
  return { grid: image.grid, header: image.header }
}

/** How a grid's extents read in messages. */
export function extents(source: Pick<CaseMaps, 'grid'>): string {
  return source.grid.shape.join('×')
}

/** The maps with the geometry of an image; throws InputError where the extents differ. */
export function withGeometry<T extends CaseMaps>(source: T, image: Pick<CaseMaps, 'grid' | 'header'>, path: string): T {
  const [have, want] = [extents(source), extents(image)]
  if (have !== want) {
    throw new InputError(source.input, `has ${have} voxels, ${path} has ${want}; give the image it belongs to`)
  }
  return { ...source, grid: image.grid, header: image.header }
}

/** Whether a file is called as images are. */
export function isImageName(path: string): boolean {
  return /.\.(nii|hdr|img)(\.gz)?$|.\.(nrrd|nhdr|mha|mhd)$/i.test(basename(path))
}
