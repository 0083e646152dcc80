import { bitsOf, ceilBits } from './probabilities.ts'

/**
 * The mask {m ≥ threshold}: 1 where the probability, a float32 number compared as the float64 it equals, reaches the
 * threshold; NaN is out.
 *
 * @param threshold At least 0. For `softDiceOptimum(m).threshold` the mask has `softDiceOptimum(m).volume` voxels.
 * @param out Where to write; a new array if absent.
 * @example
 * thresholdMask(new Float32Array([0.1, 0.5, 0.9]), 0.5) // Uint8Array [0, 1, 1]
 */
export function thresholdMask(
  m: Float32Array,
  threshold: number,
  out: Uint8Array = new Uint8Array(m.length),
): Uint8Array {
  const bits = bitsOf(m)
  // Bits of numbers ≥ 0 are ordered as the numbers are; −0 and what is beyond infinity (NaN) need a comparison of their own.
  const from = ceilBits(threshold)
  const infinity = 0x7f800000
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i]
    out[i] = b >= from && b <= infinity ? 1 : 0
  }
  if (threshold === 0) for (let i = 0; i < m.length; i++) if (m[i] === 0) out[i] = 1
  return out
}
