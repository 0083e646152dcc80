import { largestBits } from '../kernels/voxels.ts'
import { InputError } from './errors.ts'
import { type Scaling, unscaled } from './scaling.ts'
import { roundOff, ValueSummary } from './value-summary.ts'
import type { Volume, VoxelArray } from './volume.ts'

/**
 * Reads a volume as probabilities, all channels, in file order. A float32 volume that needs no conversion is returned
 * in place.
 *
 * @param subject what to name in an error, usually the file's path
 * @param options.scale what stands for probability 1 in the file (255 for a map stored as 0…255); default 1
 * @throws InputError for NaN, infinities and values outside [0, 1]
 * @example
 * const volume = { grid: createGrid([2, 1, 1]), channels: 1, data: Uint8Array.of(0, 255) }
 * probabilitiesOf(volume, 'p.nii', { scale: 255 }) // [0, 1]
 */
export function probabilitiesOf(
  volume: Volume,
  subject: string,
  options: { readonly scale?: number } = {},
): Float32Array {
  const { data, scaling } = volume
  const { slope, intercept } = scaling ?? unscaled
  const shares = { slope: slope / (options.scale ?? 1), intercept: intercept / (options.scale ?? 1) }
  const inPlace = data instanceof Float32Array && shares.slope === 1 && shares.intercept === 0
  if (inPlace && allWithin(data)) return data
  const result = new Float32Array(data.length)
  const bad = convertToProbabilities(data, 0, data.length, shares, result, 0, 1)
  if (bad < 0) return result
  const summary = new ValueSummary()
  summary.add(data, scaling)
  throw new InputError(subject, summary.fault(options.scale))
}

/**
 * Writes `count` stored numbers, from index `from` on, as probabilities `step` apart into `out`, from index `to` on.
 * What is outside [0, 1] by round-off is clamped. Both may be the same numbers in the same memory.
 *
 * @returns the index in `data` of the first number that is no probability, or −1; `out` is then only partly written
 */
export function convertToProbabilities(
  data: VoxelArray,
  from: number,
  count: number,
  { slope, intercept }: Scaling,
  out: Float32Array,
  to: number,
  step: number,
): number {
  const part = data.subarray(from, from + count)
  if (step === 1) return convertInOrder(part, { slope, intercept }, out.subarray(to, to + count), from)
  for (let i = 0, at = to; i < part.length; i++, at += step) {
    const p = clampedProbability(slope * part[i] + intercept)
    if (Number.isNaN(p)) return from + i
    out[at] = p
  }
  return -1
}

/** Most maps: with one index for both arrays the loop is faster than with one for each. */
function convertInOrder(part: VoxelArray, { slope, intercept }: Scaling, out: Float32Array, from: number): number {
  // Nothing to be computed: a copy of all at once is several times faster than one by one.
  if (part instanceof Float32Array && slope === 1 && intercept === 0 && allWithin(part)) {
    if (part.buffer !== out.buffer || part.byteOffset !== out.byteOffset) out.set(part)
    return -1
  }
  for (let i = 0; i < part.length; i++) {
    const p = slope * part[i] + intercept
    if (p >= 0 && p <= 1) out[i] = p
    else {
      const clamped = clampedProbability(p)
      if (Number.isNaN(clamped)) return from + i
      out[i] = clamped
    }
  }
  return -1
}

/** A number within [0, 1], brought there where round-off put it outside; NaN where it is no probability. */
function clampedProbability(p: number): number {
  if (p >= 0 && p <= 1) return p
  return p >= -roundOff && p <= 1 + roundOff ? (p < 0 ? 0 : 1) : Number.NaN
}

/** The bits of 1, which those of NaN and of numbers below 0 or above 1 exceed. */
const bitsOfOne = 0x3f800000

/** Whether all are within [0, 1] and none is −0. */
function allWithin(data: Float32Array): boolean {
  return largestBits(data) <= bitsOfOne
}
