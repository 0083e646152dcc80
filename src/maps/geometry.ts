import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { caseName } from '../datasets/image-names.ts'
import { decodePickle, type PickledValue } from '../formats/pickle.ts'
import { readRegularFile } from '../formats/read-file.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, gridDifference, type Vec3 } from '../volume/grid.ts'
import { type CaseMaps, placedAt } from './case-maps.ts'
import { type ImageGeometry, openGeometry } from './image-maps.ts'
import type { MapArray } from './map-array.ts'
import { geometryOfProperties, gridOfBareSpacing } from './pickle-geometry.ts'

/** Where the maps of an array lie, as `CaseMaps` holds it. */
export type PlacedGrid = Pick<
  CaseMaps,
  'grid' | 'header' | 'placement' | 'hasGeometry' | 'regionsClassOrder' | 'warnings'
>

/** What was found beside an array. */
export interface FoundGeometry {
  readonly placed: PlacedGrid
  /** The file that says so. */
  readonly from: string
  /** The grid in which the array's own axes run in order, where `placed` turns them. */
  readonly unturned?: Grid
  /** Whether it says where the image lies, and not only how large its voxels are. */
  readonly located: boolean
}

/** nnU-Net's properties take some kilobytes; with the places of every class, as after training, some megabytes. */
const mostPropertyBytes = 1 << 28

/**
 * The geometry that lies beside an array: in the `.pkl` of its name; or, where that is missing or holds none (nnU-Net's
 * ensembles pickled the probabilities for years), in the image of its name; or else the bare voxel size in the `.pkl`,
 * with a warning.
 *
 * @throws InputError where there is a geometry that is impossible or does not fit the array
 */
export async function geometryBeside(path: string, array: MapArray): Promise<FoundGeometry | undefined> {
  const base = join(dirname(path), caseName(path))
  const from = `${base}.pkl`
  const properties = await readProperties(from)
  const geometry = properties && geometryOfProperties(properties, array.shape, from)
  if (geometry) {
    const { unturned, ...placed } = geometry
    return {
      placed: { ...placed, hasGeometry: true, warnings: [] },
      from,
      located: true,
      ...(unturned && { unturned }),
    }
  }
  for (const ending of ['.nii.gz', '.nii', '.nrrd', '.mha']) {
    if (!(await isFile(base + ending))) continue
    const image = await openGeometry(base + ending)
    return { placed: onImage(array, image, base + ending, undefined), from: base + ending, located: true }
  }
  const grid = properties && gridOfBareSpacing(properties, array.shape, from)
  if (!grid) return undefined
  const held = `${from} holds only the voxel size ${grid.spacing.join(' × ')} mm`
  const warning = `${held}: position and directions are unknown, give an image with --like`
  return { placed: { grid, placement: placedAt(grid), hasGeometry: true, warnings: [warning] }, from, located: false }
}

export function geometryMissing(path: string): InputError {
  const pickle = `${caseName(path)}.pkl`
  return new InputError(path, `its geometry is missing: put ${pickle} beside it, or give an image with --like`)
}

/**
 * The array on the grid of an image that the user named. How the array lies in its own image (cropped, with its axes
 * turned) counts, if it is known and this image has those extents; an image that lies elsewhere is warned about.
 *
 * @param own the geometry that lies beside the array
 * @throws InputError where the extents do not fit
 */
export function onImage(
  { shape, stored }: MapArray,
  image: ImageGeometry,
  like: string,
  own: FoundGeometry | undefined,
): PlacedGrid {
  const placed = { ...image, placement: placedAt(image.grid), hasGeometry: true, warnings: [] }
  const extents: Vec3 = [shape[2], shape[1], shape[0]]
  const fits = extents.every((n, axis) => n === image.grid.shape[axis])
  if (own?.located) {
    const { grid, placement, regionsClassOrder: order } = own.placed
    const regions = order && { regionsClassOrder: order }
    if (fits && own.unturned && gridDifference(own.unturned, image.grid) === undefined) return { ...placed, ...regions }
    const difference = gridDifference(grid, image.grid)
    if (difference === undefined) return { ...placed, placement, ...regions }
    const warnings = [`${like} lies elsewhere than ${own.from} says (${difference}); the mask gets the grid of ${like}`]
    const sameExtents = grid.shape.every((n, axis) => n === image.grid.shape[axis])
    if (sameExtents) return { ...placed, placement, ...regions, warnings }
    if (fits) return { ...placed, ...regions, warnings }
  }
  if (fits) return placed
  const reversed = shape.every((n, axis) => n === image.grid.shape[axis])
  throw new InputError(
    stored.subject,
    `has maps of ${shape.join('×')} (z, y, x), ${basename(like)} has ${[...image.grid.shape].reverse().join('×')}; ` +
      (reversed ? 'save the array with its axes reversed (numpy: a.T)' : 'give the image it belongs to: --like IMAGE'),
  )
}

async function readProperties(path: string): Promise<PickledValue | undefined> {
  const about = await stat(path).catch(() => undefined)
  if (about === undefined || about.isDirectory() || about.size > mostPropertyBytes) return undefined
  return decodePickle(await readRegularFile(path), path)
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (about) => about.isFile(),
    () => false,
  )
