import { bitsOf, ceilBits, checkProbabilities, floatOfBits, largestProbability } from './probabilities.ts'

const largestBits = ceilBits(largestProbability)

/**
 * Counts and sums of float32 probabilities by the leading bits of their bit pattern, which order them as numbers: a
 * logarithmic histogram with 2^(23 − shift) bins an octave over the whole range down to the smallest denormal.
 *
 * All numbers of a bin share an exponent, so that a bin's sum is exact for up to 2²⁹ numbers, whatever their order.
 * Zeros are left out: the bins count positive numbers.
 */
export class BitHistogram {
  readonly shift: number
  readonly counts: Float64Array
  readonly sums: Float64Array
  /** All numbers added, zeros included. */
  voxels = 0

  /** @param shift Bits dropped: 16 gives 128 bins an octave (0.8 % wide), 12 gives 2048 (0.05 %). */
  constructor(shift: number) {
    this.shift = shift
    this.counts = new Float64Array((largestBits >>> shift) + 1)
    this.sums = new Float64Array(this.counts.length)
  }

  /** @throws InputError where a value is NaN or outside [0, 1.00001], with its index in the chunk. */
  add(chunk: Float32Array): void {
    const bits = bitsOf(chunk)
    const { counts, sums, shift } = this
    for (let i = 0; i < bits.length; i++) {
      const b = bits[i]
      if (b === 0) continue
      if (b >>> 0 > largestBits) {
        if (chunk[i] === 0) continue
        checkProbabilities([chunk])
      }
      counts[b >>> shift]++
      sums[b >>> shift] += chunk[i]
    }
    this.voxels += chunk.length
  }

  /** The smallest number of a bin. */
  lowerEdge(bin: number): number {
    return floatOfBits(bin << this.shift)
  }

  /** The bin that a number ≥ 0 falls into. */
  binOf(probability: number): number {
    return ceilBits(probability) >>> this.shift
  }
}
