import { InputError } from '../volume/errors.ts'

/**
 * Marginal probabilities m ∈ [0, 1] of one class, in any order: one array (a case), or several arrays whose voxels are
 * pooled (the chunks of a large case, or all cases of a data set). Float64 numbers are rounded to float32 first, as
 * files hold them.
 */
export type Probabilities = ProbabilityArray | readonly ProbabilityArray[]

export type ProbabilityArray = Float32Array | Float64Array

/**
 * The arrays of `m`, without copying float32 ones.
 *
 * @throws InputError where `m` is something else, such as a plain array of numbers
 */
export function chunksOf(m: Probabilities): readonly Float32Array[] {
  return Array.isArray(m) ? m.map(float32Of) : [float32Of(m)]
}

/**
 * One array as float32: itself, or float64 numbers rounded.
 *
 * @throws InputError where it is neither
 */
export function float32Of(m: unknown): Float32Array {
  if (m instanceof Float32Array) return m
  if (m instanceof Float64Array) return Float32Array.from(m)
  const found = Array.isArray(m) ? 'a plain array' : ArrayBuffer.isView(m) ? m.constructor.name : `${m}`
  throw new InputError('probabilities', `are ${found}; give a Float32Array or a Float64Array of numbers in [0, 1]`)
}

/** Number of voxels in all arrays of `m`. */
export function voxelsOf(m: readonly Float32Array[]): number {
  return m.reduce((n, chunk) => n + chunk.length, 0)
}

/**
 * Checks a threshold; one above 1 leaves every mask empty.
 *
 * @throws InputError unless it is a number of at least 0
 */
export function checkThreshold(threshold: unknown): number {
  if (typeof threshold === 'number' && threshold >= 0) return threshold
  throw new InputError('threshold', `is ${threshold}; give a number from 0 to 1`)
}

/** The largest value that passes as a probability: a float32 softmax may exceed 1 by a few units in the last place. */
export const largestProbability = Math.fround(1 + 1e-5)

/** Bit patterns of float32 numbers; for numbers ≥ 0 they are ordered as the numbers are. */
export function bitsOf(m: Float32Array): Int32Array {
  return new Int32Array(m.buffer, m.byteOffset, m.length)
}

const oneFloat = new Float32Array(1)
const oneBits = new Int32Array(oneFloat.buffer)

/** The float32 number that has these bits. */
export function floatOfBits(bits: number): number {
  oneBits[0] = bits
  return oneFloat[0]
}

/** Bits of the smallest float32 ≥ t, for t ≥ 0: for any float32 m ≥ 0, m ≥ t exactly where bits(m) ≥ ceilBits(t). */
export function ceilBits(t: number): number {
  oneFloat[0] = t + 0 // takes the sign off −0
  return oneFloat[0] < t ? oneBits[0] + 1 : oneBits[0]
}

/** Throws the error that names the first value of `m` outside [0, 1]; returns if there is none (−0 counts as 0). */
export function checkProbabilities(m: readonly Float32Array[]): void {
  let offset = 0
  for (const chunk of m) {
    let at = 0
    while (at < chunk.length && chunk[at] >= 0 && chunk[at] <= largestProbability) at++
    if (at < chunk.length) {
      throw new InputError(
        'probabilities',
        `value ${chunk[at]} at index ${offset + at} is not in [0, 1]; rescale or clip`,
      )
    }
    offset += chunk.length
  }
}
