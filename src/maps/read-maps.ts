import { InputError } from '../volume/errors.ts'
import { voxelCount } from '../volume/grid.ts'
import { convertToProbabilities } from '../volume/probabilities.ts'
import { realValue, unscaled } from '../volume/scaling.ts'
import { ValueSummary } from '../volume/value-summary.ts'
import type { VoxelArray } from '../volume/volume.ts'
import { type CaseMaps, coversGrid, type Placement, type StoredNumbers, storedMaps } from './case-maps.ts'
import type { ClassScheme } from './classes.ts'

/**
 * The maps of a case as probabilities on its grid, one after the other. The array is the same for each: valid until the
 * next map is asked for, and the caller's until then. Outside of what is stored a known background is certain, and
 * every other class is not there (as nnU-Net's `revert_cropping_on_probabilities`). A softmax of logits reads the file
 * twice and holds a second map, the logarithm of its denominator.
 *
 * @throws InputError for NaN, infinities and values that are no probabilities, with what the whole file's values look
 *   like
 * @example
 * const [found] = findCases(['predictions']).cases
 * const { source, scheme } = await openCase(found, { geometryOptional: true })
 * const lengths: number[] = []
 * for await (const map of readMaps(source, scheme)) lengths.push(map.length)
 * lengths // [4, 4]
 */
export async function* readMaps(source: CaseMaps, scheme: Pick<ClassScheme, 'maps'>): AsyncGenerator<Float32Array> {
  const { logits } = source.numbers
  const map = new Float32Array(voxelCount(source.grid))
  let put: Put
  if (logits === undefined) put = probabilities(source, map)
  else if (logits === 'sigmoid' || storedMaps(source) === 1) {
    put = logitsInto((x, at) => {
      map[at] = 1 / (1 + Math.exp(-x))
    })
  } else {
    const denominator = await logSumExp(source)
    put = logitsInto((x, at) => {
      map[at] = Math.min(1, Math.exp(x - denominator[at]))
    })
  }
  const whole = coversGrid(source)
  const outside = (channel: number) => {
    if (!whole) map.fill(isBackground(scheme, channel) ? 1 : 0)
  }
  try {
    // Numbers in the grid's order may be read to where they belong.
    const into = logits === undefined && whole && inGridOrder(source.placement) ? map : undefined
    let [channel, taken] = [0, 0]
    for await (const _ of eachMap(source, put, () => outside(taken), into)) {
      if (source.taken?.[channel++] === false) continue
      taken++
      yield map
    }
  } catch (error) {
    throw error instanceof NotProbabilities ? await faultOf(error.stored, source) : error
  }
}

function isBackground({ maps }: Pick<ClassScheme, 'maps'>, channel: number): boolean {
  const own = maps[channel]
  return own === undefined || own.labels.every((label) => label === 0)
}

/** Writes `count` numbers of `data`, from index `from` on, to the grid's voxels from `to` on, `step` apart. */
type Put = (stored: StoredNumbers, data: VoxelArray, from: number, count: number, to: number, step: number) => void

/** Cuts the stream of numbers into maps, and puts each number at its place; yields after each map. */
async function* eachMap(
  { stored, placement }: CaseMaps,
  put: Put,
  begin: () => void,
  into?: Float32Array,
): AsyncGenerator<void> {
  const voxels = placement.shape[0] * placement.shape[1] * placement.shape[2]
  let filled = 0
  for (const file of stored) {
    for await (const data of file.chunks(into)) {
      for (let at = 0; at < data.length; ) {
        if (filled === 0) begin()
        const count = Math.min(data.length - at, voxels - filled)
        const first = at - filled
        eachRun(placement, filled, count, (from, length, to, step) => put(file, data, first + from, length, to, step))
        at += count
        filled += count
        if (filled === voxels) {
          yield
          filled = 0
        }
      }
    }
  }
}

/** The runs of places, evenly apart, of the stored voxels `start` to before `start + count`. */
function eachRun(
  placement: Placement,
  start: number,
  count: number,
  visit: (from: number, length: number, to: number, step: number) => void,
): void {
  const { offset, strides } = placement
  const [nx, ny] = placement.shape
  if (inGridOrder(placement)) {
    visit(start, count, offset + start, 1)
    return
  }
  for (let from = start; from < start + count; ) {
    const i = from % nx
    const row = Math.floor(from / nx)
    const length = Math.min(nx - i, start + count - from)
    const to = offset + i * strides[0] + (row % ny) * strides[1] + Math.floor(row / ny) * strides[2]
    visit(from, length, to, strides[0])
    from += length
  }
}

/** Whether stored voxels follow each other as the grid's do: one run. */
function inGridOrder({ shape: [nx, ny], strides }: Placement): boolean {
  return strides[0] === 1 && strides[1] === nx && strides[2] === nx * ny
}

/** A file holds a number that is no probability. */
class NotProbabilities extends Error {
  readonly stored: StoredNumbers

  constructor(stored: StoredNumbers) {
    super()
    this.stored = stored
  }
}

function probabilities({ numbers: { scale = 1 } }: CaseMaps, map: Float32Array): Put {
  return (stored, data, from, count, to, step) => {
    const { slope, intercept } = stored.scaling ?? unscaled
    const scaling = { slope: slope / scale, intercept: intercept / scale }
    const bad = convertToProbabilities(data, from, count, scaling, map, to, step)
    if (bad >= 0) throw new NotProbabilities(stored)
  }
}

/** The remedy depends on all values of the file, not on the piece where the first bad one stood. */
async function faultOf(stored: StoredNumbers, { numbers, placement }: CaseMaps): Promise<InputError> {
  const summary = new ValueSummary()
  for await (const chunk of stored.chunks()) summary.add(chunk, stored.scaling)
  const [nx, ny, nz] = placement.shape
  return new InputError(stored.subject, summary.fault(numbers.scale, nx * ny * nz))
}

function logitsInto(write: (x: number, at: number) => void): Put {
  return ({ subject, scaling = unscaled }, data, from, count, to, step) => {
    for (let i = from, at = to; i < from + count; i++, at += step) {
      const x = realValue(data[i], scaling)
      if (!Number.isFinite(x)) throw new InputError(subject, `holds ${x}; logits must be finite numbers`)
      write(x, at)
    }
  }
}

/** log Σ exp of the maps voxel by voxel, by running maxima, so that no exponential overflows. */
async function logSumExp(source: CaseMaps): Promise<Float32Array> {
  const total = new Float32Array(voxelCount(source.grid)).fill(Number.NEGATIVE_INFINITY)
  const put = logitsInto((b, at) => {
    const a = total[at]
    total[at] = a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b))
  })
  for await (const _ of eachMap(source, put, () => {})) {
    // The sums grow as the maps are read.
  }
  return total
}
