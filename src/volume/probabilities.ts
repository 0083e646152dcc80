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
 * What is outside [0, 1] by round-off is clamped.
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
  if (data instanceof Float32Array && slope === 1 && intercept === 0 && step === 1) {
    // Most maps: no number to be computed, and a copy of all at once is several times faster than one by one.
    const part = data.subarray(from, from + count)
    if (allWithin(part)) {
      out.set(part, to)
      return -1
    }
  }
  const [lowest, highest] = [-roundOff, 1 + roundOff]
  for (let i = from, at = to; i < from + count; i++, at += step) {
    const p = slope * data[i] + intercept
    if (p >= 0 && p <= 1) out[at] = p
    else if (p >= lowest && p <= highest) out[at] = p < 0 ? 0 : 1
    else return i
  }
  return -1
}

function allWithin(data: Float32Array): boolean {
  for (let i = 0; i < data.length; i++) if (!(data[i] >= 0 && data[i] <= 1)) return false
  return true
}
