import { InputError } from '../volume/errors.ts'
import { createGrid, type Vec3 } from '../volume/grid.ts'
import { probabilitiesOf } from '../volume/probabilities.ts'
import { realValue, UNSCALED } from '../volume/scaling.ts'
import type { Volume, VoxelArray } from '../volume/volume.ts'
import type { MapOptions } from './case-maps.ts'

/** Stored numbers that can be read from the start again and again: all maps after each other, in pieces of any length. */
export interface StoredMaps {
  /** Names the file in errors. */
  readonly subject: string
  readonly channels: number
  /** Voxels of one map. */
  readonly voxels: number
  readonly scaling?: Volume['scaling']
  chunks(): AsyncIterable<VoxelArray>
  /** Where the voxels of a map go; absent where they are in order. */
  readonly placement?: Placement | undefined
}

/** Voxel (i, j, k) of a stored map, i fastest, goes to `offset + i·strides[0] + j·strides[1] + k·strides[2]`. */
export interface Placement {
  /** Extents of the stored map. */
  readonly shape: Vec3
  readonly strides: Vec3
  readonly offset: number
}

/**
 * The maps as probabilities: scaled, or through the softmax or sigmoid of logits. One map is held at a time; a softmax reads
 * the file twice and holds a second map, the logarithm of its denominator.
 *
 * @throws InputError for NaN, infinities and values that are no probabilities, with the range of the whole file
 */
export async function* readMaps(stored: StoredMaps, options: MapOptions): AsyncGenerator<Float32Array> {
  const { logits } = options
  if (logits === undefined) {
    yield* assemble(stored, (data) => asProbabilities(stored, data, options))
    return
  }
  const real = (data: VoxelArray) => finite(stored, data)
  if (logits === 'sigmoid' || stored.channels === 1) {
    for await (const map of assemble(stored, real)) {
      for (let i = 0; i < map.length; i++) map[i] = 1 / (1 + Math.exp(-map[i]))
      yield map
    }
    return
  }
  const denominator = await logSumExp(assemble(stored, real), stored.voxels)
  for await (const map of assemble(stored, real)) {
    for (let i = 0; i < map.length; i++) map[i] = Math.min(1, Math.exp(map[i] - denominator[i]))
    yield map
  }
}

/** Cuts the stream of chunks into maps, each converted piece by piece. */
async function* assemble(
  { chunks, voxels, placement }: StoredMaps,
  convert: (data: VoxelArray) => Promise<Float32Array> | Float32Array,
): AsyncGenerator<Float32Array> {
  const map = new Float32Array(voxels)
  let filled = 0
  for await (const data of chunks()) {
    const chunk = await convert(data)
    for (let start = 0; start < chunk.length; ) {
      const part = chunk.subarray(start, start + voxels - filled)
      if (placement) scatter(map, part, filled, placement)
      else map.set(part, filled)
      start += part.length
      filled += part.length
      if (filled === voxels) {
        yield map
        filled = 0
      }
    }
  }
}

/** Writes stored voxels, of which the first has the index `start`, to their places. */
function scatter(map: Float32Array, part: Float32Array, start: number, { shape, strides, offset }: Placement): void {
  const [nx, ny] = shape
  let i = start % nx
  let j = Math.floor(start / nx) % ny
  let k = Math.floor(start / (nx * ny))
  for (let n = 0; n < part.length; ) {
    let to = offset + i * strides[0] + j * strides[1] + k * strides[2]
    for (; i < nx && n < part.length; i++, to += strides[0]) map[to] = part[n++]
    if (i < nx) return
    i = 0
    if (++j === ny) {
      j = 0
      k++
    }
  }
}

/** A piece of the file shows that it holds no probabilities, but the remedy (`--scale`) depends on the range of all of it. */
async function asProbabilities(stored: StoredMaps, data: VoxelArray, options: MapOptions): Promise<Float32Array> {
  const { subject, scaling } = stored
  const volume = (values: VoxelArray): Volume => ({
    grid: createGrid([values.length, 1, 1]),
    channels: 1,
    data: values,
    ...(scaling && { scaling }),
  })
  try {
    return probabilitiesOf(volume(data), subject, options)
  } catch (error) {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for await (const chunk of stored.chunks()) {
      for (let i = 0; i < chunk.length; i++) {
        const value = chunk[i]
        if (!Number.isFinite(value)) throw error
        if (value < min) min = value
        if (value > max) max = value
      }
    }
    try {
      probabilitiesOf(volume(Float64Array.of(min, max)), subject, options)
    } catch (whole) {
      if (!(whole instanceof InputError) || !(min < 0)) throw whole
      throw new InputError(
        subject,
        whole.fault.replace(/; .*/, '; if they are logits, say so: --logits softmax (or sigmoid)'),
      )
    }
    throw error
  }
}

function finite({ subject, scaling }: StoredMaps, data: VoxelArray): Float32Array {
  const out = new Float32Array(data.length)
  for (let i = 0; i < data.length; i++) {
    const value = realValue(data[i], scaling ?? UNSCALED)
    if (!Number.isFinite(value)) throw new InputError(subject, `voxel ${i} is ${value}; logits must be finite numbers`)
    out[i] = value
  }
  return out
}

/** log Σ exp of the maps voxel by voxel, by running maxima, so that no exponential overflows. */
async function logSumExp(maps: AsyncIterable<Float32Array>, voxels: number): Promise<Float32Array> {
  const total = new Float32Array(voxels).fill(Number.NEGATIVE_INFINITY)
  for await (const map of maps) {
    for (let i = 0; i < voxels; i++) {
      const [a, b] = [total[i], map[i]]
      total[i] = a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b))
    }
  }
  return total
}
