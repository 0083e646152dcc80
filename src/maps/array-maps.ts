import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { inputFault } from '../formats/file-faults.ts'
import { inCOrder } from '../formats/npy.ts'
import { type NpyStream, openNpy, openNpz } from '../formats/npz.ts'
import { decodePickle } from '../formats/pickle.ts'
import { InputError } from '../volume/errors.ts'
import { type Vec3, voxelCount } from '../volume/grid.ts'
import type { VoxelArray } from '../volume/volume.ts'
import type { CaseMaps, MapOptions } from './case-maps.ts'
import { type ArrayGeometry, geometryOfProperties } from './geometry.ts'
import { openGeometry } from './image-maps.ts'
import { caseName } from './names.ts'
import { readMaps, type StoredMaps } from './read-maps.ts'

/** An array of maps with axes [class, z, y, x], or of one map with axes [z, y, x]. */
export interface MapArray {
  /** Names the array in errors. */
  readonly subject: string
  readonly channels: number
  /** Extents of a map, in the order z, y, x. */
  readonly shape: Vec3
  /** All numbers in this order of axes; may be called again and again. */
  chunks(): AsyncIterable<VoxelArray>
}

export interface ArrayOptions extends MapOptions {
  /** An image to take the geometry from, instead of the pickle beside an `.npz`. */
  readonly like?: string | undefined
}

/** How the arrays are called that pipelines write: nnU-Net v2 (and what builds on it), nnU-Net v1. */
const ARRAY_NAMES = ['probabilities', 'softmax']

/**
 * The maps in an `.npz` as nnU-Net saves them (v2: `probabilities`; v1: `softmax`, cropped), or in an `.npy`. The geometry is
 * that of `like`, or of the `.pkl` of the same name, or of the segmentation of the same name beside it.
 *
 * @throws InputError where the file holds no such array, or its geometry is missing or does not fit
 */
export async function openArrayMaps(path: string, options: ArrayOptions): Promise<CaseMaps> {
  const array = await openMapArray(path)
  const header = options.like !== undefined ? await openGeometry(options.like) : undefined
  const geometry: ArrayGeometry & { header?: unknown } = header ? header : await geometryBeside(path, array)
  return placeMaps({ input: path, name: caseName(path), array, ...geometry }, options)
}

export interface PlacedArray extends ArrayGeometry {
  readonly input: string
  readonly name: string
  readonly header?: unknown
  readonly array: MapArray
}

/** The maps of an array that covers a grid, or a box of it: outside, the background (the first of several maps) is certain. */
export function placeMaps(placed: PlacedArray, options: MapOptions): CaseMaps {
  const { input, name, array, grid, start, header, placement } = placed
  const own: Vec3 = [array.shape[2], array.shape[1], array.shape[0]]
  const stored: StoredMaps = { ...array, voxels: own[0] * own[1] * own[2], placement }
  const shared = { input, name, grid, channels: array.channels, ...(header !== undefined && { header }) }
  if (start === undefined) {
    const fits = placement || own.every((extent, axis) => extent === grid.shape[axis])
    if (!fits) throw misfit(array, grid.shape)
    return { ...shared, maps: () => readMaps(stored, options) }
  }
  return {
    ...shared,
    async *maps() {
      const map = new Float32Array(voxelCount(grid))
      let channel = 0
      for await (const inner of readMaps(stored, options)) {
        map.fill(channel++ === 0 && array.channels > 1 ? 1 : 0)
        paste(map, grid.shape, inner, own, start)
        yield map
      }
    },
  }
}

function misfit({ subject, shape }: MapArray, extents: Vec3): InputError {
  const reversed = shape.every((n, axis) => n === extents[axis])
  return new InputError(
    subject,
    `has maps of ${shape.join('×')} (z, y, x), its image has ${[...extents].reverse().join('×')}; ` +
      (reversed ? 'save the array with its axes reversed (numpy: a.T)' : 'give the image it belongs to: --like IMAGE'),
  )
}

function paste(map: Float32Array, [nx, ny]: Vec3, inner: Float32Array, [mx, my, mz]: Vec3, [i, j, k]: Vec3): void {
  for (let z = 0; z < mz; z++) {
    for (let y = 0; y < my; y++) {
      const from = (z * my + y) * mx
      map.set(inner.subarray(from, from + mx), ((k + z) * ny + j + y) * nx + i)
    }
  }
}

/** Opens the array of maps in an `.npz` or `.npy`; its header is read and checked now. */
export async function openMapArray(path: string): Promise<MapArray> {
  if (!/\.npz$/i.test(path)) return mapArray(path, () => openNpy(path))
  const npz = await openNpz(path)
  const name =
    ARRAY_NAMES.find((each) => npz.names.includes(each)) ?? (npz.names.length === 1 ? npz.names[0] : undefined)
  if (name === undefined) {
    throw new InputError(
      path,
      `holds ${npz.names.length === 0 ? 'no arrays' : `the arrays ${npz.names.join(', ')}`}; save the maps as 'probabilities'`,
    )
  }
  return mapArray(path, () => npz.open(name))
}

/** The maps of an NPY stream, which `open` can open again. */
export async function mapArray(subject: string, open: () => Promise<NpyStream>): Promise<MapArray> {
  const head = await open()
  await head.close()
  const { channels, shape } = mapShape(head.shape, subject)
  if (!head.fortranOrder || head.length <= 1) {
    return {
      subject,
      channels,
      shape,
      async *chunks() {
        yield* (await open()).chunks()
      },
    }
  }
  return {
    subject,
    channels,
    shape,
    // The other order of axes: all classes of a voxel lie together, so that the array has to be turned as a whole.
    async *chunks() {
      for await (const data of (await open()).chunks(head.length)) {
        yield inCOrder({ shape: head.shape, fortranOrder: true, data }).data
      }
    },
  }
}

/** Reads the shape of an array as [class, z, y, x] or [z, y, x]; a batch axis of one in front is taken off. */
export function mapShape(axes: readonly number[], subject: string): { channels: number; shape: Vec3 } {
  const own = axes.length === 5 && axes[0] === 1 ? axes.slice(1) : axes
  const [channels, ...shape] = own.length === 3 ? [1, ...own] : own
  if (own.length < 3 || own.length > 4 || own.some((n) => n < 1)) {
    throw new InputError(
      subject,
      `has shape (${axes.join(', ')}); give maps of axes [class, z, y, x] or one map [z, y, x]`,
    )
  }
  return { channels, shape: [shape[0], shape[1], shape[2]] }
}

async function geometryBeside(path: string, array: MapArray): Promise<ArrayGeometry & { header?: unknown }> {
  const base = join(dirname(path), caseName(path))
  const pickle = await readIfThere(`${base}.pkl`)
  if (pickle) return geometryOfProperties(decodePickle(pickle, `${base}.pkl`), array.shape, `${base}.pkl`)
  for (const ending of ['.nii.gz', '.nii', '.nrrd', '.mha']) {
    if (!(await isFile(base + ending))) continue
    const image = await openGeometry(base + ending)
    return image
  }
  throw new InputError(
    path,
    `its geometry is missing: put ${caseName(path)}.pkl beside it, or give an image with --like`,
  )
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  if (!(await isFile(path))) return undefined
  try {
    return await readFile(path)
  } catch (error) {
    throw inputFault(error, path)
  }
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (about) => about.isFile(),
    () => false,
  )
