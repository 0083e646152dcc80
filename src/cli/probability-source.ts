import { openVolume, readVolume } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, voxelCount } from '../volume/grid.ts'
import { probabilitiesOf } from '../volume/probabilities.ts'
import { stem } from './outputs.ts'

/** The probability maps of one case, wherever they are stored; may be read several times. */
export interface ProbabilitySource {
  /** What the user named: for messages and results. */
  readonly input: string
  /** Name of the case: the file's name without its ending. */
  readonly name: string
  readonly grid: Grid
  /** The header to be carried over to masks (see `Volume.header`). */
  readonly header?: unknown
  /** Number of maps, one a class. */
  readonly channels: number
  /** The maps in order. An array is valid only until the next is asked for, and is the caller's until then. */
  maps(): AsyncIterable<Float32Array>
}

export interface ProbabilityOptions {
  /** What stands for probability 1. */
  readonly scale?: number
}

/** An image file (3-D: one map, 4-D: one a volume) as a source; its header is read and checked now. */
export async function openProbabilityFile(path: string, options: ProbabilityOptions): Promise<ProbabilitySource> {
  const head = await openVolume(path)
  await head.close()
  const { grid, channels, header } = head
  const shared = { input: path, name: stem(path), grid, header, channels }
  // One map: read in place, in one volume's memory. Several: one at a time, streamed.
  if (channels === 1) return { ...shared, maps: () => wholeMap(path, options) }
  return { ...shared, maps: () => streamedMaps(path, options) }
}

async function* wholeMap(path: string, options: ProbabilityOptions): AsyncGenerator<Float32Array> {
  yield probabilitiesOf(await readVolume(path), path, options)
}

async function* streamedMaps(path: string, options: ProbabilityOptions): AsyncGenerator<Float32Array> {
  const stream = await openVolume(path)
  const map = new Float32Array(voxelCount(stream.grid))
  let filled = 0
  for await (const data of stream.chunks()) {
    const { grid, scaling } = stream
    const chunk = await checked(path, options, () =>
      probabilitiesOf({ grid, channels: 1, data, ...(scaling && { scaling }) }, path, options),
    )
    for (let start = 0; start < chunk.length; ) {
      const part = chunk.subarray(start, start + map.length - filled)
      map.set(part, filled)
      start += part.length
      filled += part.length
      if (filled === map.length) {
        yield map
        filled = 0
      }
    }
  }
}

/** A chunk shows that a file is no probability map, but the remedy (`--scale`) depends on the range of the whole file. */
async function checked<T>(path: string, options: ProbabilityOptions, read: () => T): Promise<T> {
  try {
    return read()
  } catch (error) {
    if (error instanceof InputError) probabilitiesOf(await readVolume(path), path, options)
    throw error
  }
}
