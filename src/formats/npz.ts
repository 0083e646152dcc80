import { InputError } from '../volume/errors.ts'
import type { VoxelArray } from '../volume/volume.ts'
import { writeAtomically } from './atomic-write.ts'
import { allocateBytes, type ByteSource, concatenate, drain, openByteSource, take } from './byte-source.ts'
import {
  type NpyArray,
  type NpyHeader,
  npyElements,
  npyHead,
  npyHeadBytes,
  npyPrologueBytes,
  parseNpyHeader,
  wrongLength,
} from './npy.ts'
import { allocateVoxels, bytesOf, nextPart, slabsOf, storedBytes, type VoxelType, voxelTypeOf } from './voxel-types.ts'
import { openZipEntry, readZipDirectory, type ZipEntry } from './zip.ts'
import { zip } from './zip-write.ts'

/** An array whose elements are read as they are needed. */
export interface NpyStream {
  readonly shape: readonly number[]
  readonly fortranOrder: boolean
  /** Number of elements. */
  readonly length: number
  /** The type of the arrays that `chunks` yields: float16 comes as float32, 64-bit integers as float64. */
  readonly type: VoxelType
  /**
   * The elements in file order, `chunkLength` at a time (default 2²⁰), in arrays that the caller may keep and change.
   * May be called once; reading to the end verifies the file and closes it, as does leaving the loop early.
   *
   * @param into memory for float32 numbers, or float16 ones as such, as for `VolumeStream.chunks`
   * @throws InputError where the file is truncated or damaged, possibly after having yielded chunks
   */
  chunks(chunkLength?: number, into?: Float32Array): AsyncIterable<VoxelArray>
  close(): Promise<void>
}

/** An `.npz` archive: its arrays by name (without `.npy`), each opened on demand, several at a time if wanted. */
export interface Npz {
  readonly names: readonly string[]
  open(name: string): Promise<NpyStream>
  read(name: string): Promise<NpyArray>
}

/**
 * Opens an `.npz` archive (`numpy.savez`, `savez_compressed`; zip64 included) by reading its directory.
 *
 * @throws InputError where it is no such archive
 *
 * @example
 * const npz = await openNpz('case.npz') // nnU-Net: one array, "probabilities", shape (classes, z, y, x)
 * const probabilities = await npz.open('probabilities')
 * probabilities.shape // [2, 1, 1, 4]
 * for await (const chunk of probabilities.chunks()) console.log(chunk.length)
 */
export async function openNpz(path: string): Promise<Npz> {
  const entries = new Map<string, ZipEntry>()
  for (const entry of await readZipDirectory(path)) {
    // A name that lost its ending to damage must not go missing in silence.
    if (!entry.name.endsWith('.npy'))
      throw new InputError(path, `holds ${entry.name}, which is no .npy array; remove it`)
    entries.set(entry.name.slice(0, -4), entry)
  }
  const names = [...entries.keys()]
  const open = async (name: string) => {
    const entry = entries.get(name)
    if (!entry) throw new InputError(path, `has no array "${name}"; it has ${names.join(', ') || 'none'}`)
    return npyStream(await openZipEntry(path, entry), `${path}/${entry.name}`)
  }
  return { names, open, read: async (name) => readAll(await open(name)) }
}

/**
 * Opens an `.npy` file (also gzip-compressed) for reading in chunks. Read the chunks to their end, or close the stream.
 *
 * @throws InputError where the file is no such array (objects, text, records and complex numbers are refused)
 * @example
 * const stream = await openNpy('p.npy')
 * let largest = 0
 * for await (const chunk of stream.chunks()) for (const p of chunk) largest = Math.max(largest, p)
 * largest // 0.9
 */
export async function openNpy(path: string): Promise<NpyStream> {
  return npyStream(await openByteSource(path), path)
}

/**
 * Reads an `.npy` file (also gzip-compressed) whole.
 *
 * @throws InputError as `openNpy` does, and where the data are truncated or damaged
 * @example
 * (await readNpy('p.npy')).shape // [2, 1, 1, 4]
 */
export async function readNpy(path: string): Promise<NpyArray> {
  return readAll(await openNpy(path))
}

/** Reads the bytes of an `.npy` from a source such as standard input. Throws InputError where they are none. */
export async function readNpyFrom(source: ByteSource, subject: string): Promise<NpyArray> {
  return readAll(await npyStream(source, subject))
}

/**
 * Reads every array of an `.npz` archive, by name. `openNpz` reads one of them, in chunks.
 *
 * @throws InputError as `openNpz` does, and where the data are truncated or damaged
 * @example
 * const arrays = await readNpz('case.npz')
 * arrays.get('probabilities')?.shape // [2, 1, 1, 4]
 */
export async function readNpz(path: string): Promise<Map<string, NpyArray>> {
  const npz = await openNpz(path)
  const arrays = new Map<string, NpyArray>()
  for (const name of npz.names) arrays.set(name, await npz.read(name))
  return arrays
}

/**
 * Writes an `.npy` file in the array's own type; it appears only when it is complete.
 *
 * @throws InputError where the shape does not fit the data or the folder will not do, OutputError where the disk fails
 * @example
 * await writeNpy('mask.npy', { shape: [2], data: Uint8Array.of(0, 1) })
 */
export async function writeNpy(path: string, array: NpyArray): Promise<void> {
  await writeAtomically(path, slabs(array))
}

/**
 * Writes arrays as a compressed `.npz` archive; it appears only when it is complete.
 *
 * @throws InputError where a shape does not fit its data or the folder will not do, OutputError where the disk fails
 * @example
 * await writeNpz('mask.npz', { mask: { shape: [2], data: Uint8Array.of(0, 1) } })
 */
export async function writeNpz(path: string, arrays: Readonly<Record<string, NpyArray>>): Promise<void> {
  const files = Object.entries(arrays).map(([name, array]) => ({
    name: `${name}.npy`,
    slabs: slabs(array),
    size: npyHead(array).length + array.data.byteLength,
  }))
  await writeAtomically(path, zip(files))
}

async function npyStream(source: ByteSource, subject: string): Promise<NpyStream> {
  try {
    const prologue = await take(source, npyPrologueBytes)
    const headBytes = npyHeadBytes(prologue, subject)
    const rest = await take(source, headBytes - prologue.length)
    const header = parseNpyHeader(concatenate([prologue, rest]), subject)
    if (headBytes + header.dataBytes > source.bound)
      throw wrongLength(header, source.bound - headBytes, subject, source.exact)
    return {
      shape: header.shape,
      fortranOrder: header.fortranOrder,
      length: header.length,
      type: voxelTypeOf(header.type),
      chunks: (chunkLength = 1 << 20, into = undefined) => chunks(source, header, chunkLength, subject, into),
      close: () => source.close(),
    }
  } catch (error) {
    await source.close()
    throw error
  }
}

async function* chunks(
  source: ByteSource,
  header: NpyHeader,
  chunkLength: number,
  subject: string,
  into: Float32Array | undefined,
) {
  const { type, length } = header
  const size = storedBytes(type)
  const memory = into && into.length > 0 && voxelTypeOf(type) === 'float32' ? into : undefined
  // What is widened leaves its bytes free for the next chunk.
  let halves: Uint8Array | undefined
  try {
    for (let done = 0; done < length; ) {
      // No more than the file can hold: npyStream has checked dataBytes against its size.
      const count = Math.min(chunkLength, length - done)
      const part = memory && nextPart(memory, done, count)
      let bytes: Uint8Array
      if (type === 'float16') {
        halves ??= allocateBytes(size * count, subject)
        bytes = halves.subarray(0, size * (part?.length ?? count))
      } else bytes = part ? bytesOf(part) : allocateBytes(size * count, subject)
      const filled = await source.fill(bytes)
      if (filled < bytes.length) throw wrongLength(header, size * done + filled, subject)
      done += bytes.length / size
      yield npyElements(bytes, header, subject, part)
    }
    let extra = 0
    await drain(source, (rest) => {
      extra += rest.length
    })
    if (extra > 0) throw wrongLength(header, header.dataBytes + extra, subject)
  } finally {
    await source.close()
  }
}

async function readAll(stream: NpyStream): Promise<NpyArray> {
  const parts: VoxelArray[] = []
  // One chunk: the array itself, without a copy.
  for await (const chunk of stream.chunks(Math.max(1, stream.length))) parts.push(chunk)
  const { shape, fortranOrder } = stream
  return { shape, fortranOrder, data: parts[0] ?? allocateVoxels(stream.type, 0) }
}

function* slabs(array: NpyArray): Generator<Uint8Array> {
  yield npyHead(array)
  yield* slabsOf(array.data)
}
