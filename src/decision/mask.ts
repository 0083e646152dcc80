import { InputError } from '../volume/errors.ts'
import { bitsOf, ceilBits, checkThreshold, float32Of, type ProbabilityArray } from './probabilities.ts'

/**
 * The mask {m ≥ threshold}: 1 where the probability, a float32 number compared as the float64 it equals, reaches the
 * threshold; NaN is out.
 *
 * @param probabilities One array; float64 numbers are rounded to float32 first, as the optima do.
 * @param threshold From 0 to 1. For `softDiceOptimum(m).threshold` the mask has `softDiceOptimum(m).volume` voxels.
 * @param out Where to write; a new array if absent.
 * @throws InputError for another type of array, a threshold outside [0, 1] or an `out` of another length.
 * @example
 * thresholdMask(new Float32Array([0.1, 0.5, 0.9]), 0.5) // Uint8Array [0, 1, 1]
 */
export function thresholdMask(probabilities: ProbabilityArray, threshold: number, out?: Uint8Array): Uint8Array {
  const m = float32Of(probabilities)
  checkThreshold(threshold)
  const mask = out ?? new Uint8Array(m.length)
  if (!(mask instanceof Uint8Array) || mask.length !== m.length) {
    throw new InputError('out', `does not fit ${m.length} probabilities; give a Uint8Array of that length`)
  }
  const bits = bitsOf(m)
  // Bits of numbers ≥ 0 are ordered as the numbers are; −0 and what is beyond infinity (NaN) need a comparison of their
  // own. Each of the three comparisons is the sign of a difference: without branches, which no processor foresees
  // where probabilities lie on both sides of the threshold, the loop takes half of the time.
  const below = ceilBits(threshold) - 1
  const beyond = 0x7f800001
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i]
    mask[i] = ((below - b) & (b - beyond) & ~b) >>> 31
  }
  if (threshold === 0) for (let i = 0; i < m.length; i++) if (m[i] === 0) mask[i] = 1
  return mask
}
