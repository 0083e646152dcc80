import { caseName } from '../datasets/image-names.ts'
import { checkShapeAndSpacing } from '../volume/checks.ts'
import { createGrid, type Vec3 } from '../volume/grid.ts'
import { type CaseMaps, type NumberOptions, placedAt } from './case-maps.ts'
import { geometryBeside, geometryMissing, onImage, type PlacedGrid } from './geometry.ts'
import { openGeometry, withImages } from './image-maps.ts'
import { type MapArray, openMapArray } from './map-array.ts'

export interface ArrayOptions extends NumberOptions {
  /** An image to take the geometry from, instead of what lies beside the array. */
  readonly like?: string | undefined
  /** The masks become a DICOM segmentation of the images `like`: maps that say where they lie keep their place. */
  readonly segmentation?: boolean | undefined
  /** The masks need no geometry: where there is none, the voxels are only counted. */
  readonly geometryOptional?: boolean | undefined
}

/**
 * The maps in an `.npz` as nnU-Net saves them (v2: `probabilities`; v1: `softmax`, cropped), or in an `.npy`. The
 * geometry is that of `like`, or of the `.pkl` of the same name, or of the segmentation of the same name beside it, or
 * else the bare voxel size of the `.pkl`.
 *
 * @throws InputError where the file holds no such array, or its geometry is missing, impossible or does not fit
 */
export async function openArrayMaps(path: string, options: ArrayOptions): Promise<CaseMaps> {
  const array = await openMapArray(path)
  return mapsOf(array, path, caseName(path), await place(), options)

  async function place(): Promise<PlacedGrid> {
    const { like, geometryOptional } = options
    if (like !== undefined) {
      // What lies beside the array may be the very thing that --like is to replace: its faults do not count.
      const own = await geometryBeside(path, array).catch(() => undefined)
      if (options.segmentation && own?.located) return withImages(own.placed, like)
      return onImage(array, await openGeometry(like), like, own)
    }
    const own = await geometryBeside(path, array)
    if (own) return own.placed
    if (geometryOptional) return noGeometry(array)
    throw geometryMissing(path)
  }
}

export interface MemoryOptions extends NumberOptions, Pick<ArrayOptions, 'like'> {
  /** How far apart voxels are along x, y and z, instead of what an image says. */
  readonly spacingMm?: Vec3 | undefined
}

/**
 * The maps of an array in memory, such as one that came through a pipe.
 *
 * @throws InputError where the image's extents do not fit, or there is no such spacing
 */
export async function memoryMaps(array: MapArray, name: string, options: MemoryOptions): Promise<CaseMaps> {
  const { like, spacingMm } = options
  const placed =
    like === undefined ? noGeometry(array, spacingMm) : onImage(array, await openGeometry(like), like, undefined)
  return mapsOf(array, array.stored.subject, name, placed, options)
}

function mapsOf(
  { channels, stored }: MapArray,
  input: string,
  name: string,
  placed: PlacedGrid,
  { scale, logits }: NumberOptions,
): CaseMaps {
  return { input, name, channels, stored: [stored], numbers: { scale, logits }, ...placed }
}

function noGeometry({ shape: [z, y, x], stored }: MapArray, spacingMm?: Vec3): PlacedGrid {
  const grid = createGrid([x, y, z], spacingMm)
  checkShapeAndSpacing(grid, stored.subject)
  return { grid, placement: placedAt(grid), hasGeometry: spacingMm !== undefined, warnings: [] }
}
