import { inCOrder, type NpyArray } from '../formats/npy.ts'
import { type NpyStream, openNpy, openNpz } from '../formats/npz.ts'
import { InputError } from '../volume/errors.ts'
import type { Vec3 } from '../volume/grid.ts'
import type { StoredNumbers } from './case-maps.ts'

/** An array of maps with axes [class, z, y, x], or of one map with axes [z, y, x], without geometry. */
export interface MapArray {
  readonly channels: number
  /** Extents of a map, in the order z, y, x. */
  readonly shape: Vec3
  readonly stored: StoredNumbers
}

/** How the arrays are called that pipelines write: nnU-Net v2 (and what builds on it), nnU-Net v1. */
const arrayNames = ['probabilities', 'softmax']

/** Opens the array of maps in an `.npz` or `.npy`; its header is read and checked now. Throws InputError. */
export async function openMapArray(path: string): Promise<MapArray> {
  if (!/\.npz$/i.test(path)) return streamedArray(path, () => openNpy(path))
  const npz = await openNpz(path)
  const { names } = npz
  const name = arrayNames.find((each) => names.includes(each)) ?? (names.length === 1 ? names[0] : undefined)
  if (name === undefined) {
    const held = names.length === 0 ? 'no arrays' : `the arrays ${names.join(', ')}`
    throw new InputError(path, `holds ${held}; save the maps as 'probabilities'`)
  }
  return streamedArray(path, () => npz.open(name))
}

/** The maps of an array in memory. Throws InputError where its axes are not those of maps. */
export function mapArrayOf(array: NpyArray, subject: string): MapArray {
  const { data } = inCOrder(array)
  return {
    ...mapShape(array.shape, subject),
    stored: {
      subject,
      async *chunks() {
        yield data
      },
    },
  }
}

async function streamedArray(subject: string, open: () => Promise<NpyStream>): Promise<MapArray> {
  const head = await open()
  await head.close()
  const { shape, fortranOrder } = head
  const stored: StoredNumbers = {
    subject,
    async *chunks(into) {
      const stream = await open()
      if (!fortranOrder) yield* stream.chunks(undefined, into)
      // All classes of a voxel lie together, so that the array has to be turned as a whole.
      else for await (const data of stream.chunks(head.length)) yield inCOrder({ shape, fortranOrder, data }).data
    },
  }
  return { ...mapShape(shape, subject), stored }
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
