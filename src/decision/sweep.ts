import { ExactSum } from './exact-sum.ts'
import {
  bitsOf,
  ceilBits,
  checkProbabilities,
  chunksOf,
  largestProbability,
  type Probabilities,
} from './probabilities.ts'

/** What one pass over the probabilities finds. */
export interface Sweep {
  /** ‖m‖, the sum of all probabilities. */
  readonly total: number
  /** Sum and number of the probabilities that are ≥ `high`. */
  readonly sumAbove: number
  readonly countAbove: number
  /** Sum and number of the probabilities that are ≥ ½. */
  readonly sumHalf: number
  readonly countHalf: number
  /** The probabilities in [low, high), in their order; undefined if there were more than `capacity`. */
  readonly inside: Float32Array | undefined
}

/** Voxels a block: partial sums below 2¹³ keep every bit of float32 terms above 2⁻¹⁶, so that a block's sum is exact. */
const blockLength = 8192

const halfBits = ceilBits(0.5)
const largestBits = ceilBits(largestProbability)

/**
 * One pass over all arrays: sums and counts above `high`, above ½ and in total, and a copy of what lies in [low, high).
 * Sums are exact within a block (see `blockLength`) and compensated between blocks.
 *
 * @throws InputError where a value is not a probability.
 */
export function sweep(m: Probabilities, low: number, high: number, capacity: number): Sweep {
  const state: State = {
    lowBits: Math.max(1, ceilBits(low)),
    highBits: ceilBits(high),
    inside: new Float32Array(Math.min(capacity, 4096)),
    insideLength: 0,
    capacity,
    countAbove: 0,
    countHalf: 0,
    faults: 0,
    total: new ExactSum(),
    sumAbove: new ExactSum(),
    sumHalf: new ExactSum(),
  }
  for (const chunk of chunksOf(m)) {
    const bits = bitsOf(chunk)
    for (let start = 0; start < chunk.length; start += blockLength) {
      makeRoom(state)
      sweepBlock(chunk, bits, start, Math.min(chunk.length, start + blockLength), state)
    }
  }
  if (state.faults < 0) {
    checkProbabilities(m)
    // Only a −0 has a sign and still is a probability; adding 0 takes it off.
    return sweep(
      chunksOf(m).map((chunk) => chunk.map((x) => x + 0)),
      low,
      high,
      capacity,
    )
  }
  return {
    total: state.total.value,
    sumAbove: state.sumAbove.value,
    countAbove: state.countAbove,
    sumHalf: state.sumHalf.value,
    countHalf: state.countHalf,
    inside: state.insideLength > capacity ? undefined : state.inside.subarray(0, state.insideLength),
  }
}

interface State {
  readonly lowBits: number
  readonly highBits: number
  readonly capacity: number
  inside: Float32Array
  insideLength: number
  countAbove: number
  countHalf: number
  /** Its sign bit is set where a value has a sign or exceeds `largestProbability`. */
  faults: number
  readonly total: ExactSum
  readonly sumAbove: ExactSum
  readonly sumHalf: ExactSum
}

/** Lets one more block be copied; beyond the capacity values are only counted (typed arrays ignore writes past the end). */
function makeRoom(state: State): void {
  const { inside, insideLength, capacity } = state
  if (insideLength + blockLength <= inside.length || inside.length === capacity) return
  state.inside = new Float32Array(Math.min(capacity, 2 * (inside.length + blockLength)))
  state.inside.set(inside.subarray(0, insideLength))
}

/**
 * Comparisons are made on bits and turned into factors 0 or 1, because a branch would be mispredicted all the time; eight
 * zeros at once, most of a volume, are skipped.
 */
function sweepBlock(m: Float32Array, bits: Int32Array, start: number, end: number, state: State): void {
  const { lowBits, highBits, inside } = state
  const width = highBits - lowBits
  let insideLength = state.insideLength
  let [total0, total1, above0, above1, half0, half1] = [0, 0, 0, 0, 0, 0]
  let [countAbove, countHalf, faults] = [0, 0, 0]
  for (let i = start; i < end; i += 8) {
    const stop = Math.min(i + 8, end)
    if (stop === i + 8) {
      const low4 = bits[i] | bits[i + 1] | bits[i + 2] | bits[i + 3]
      if ((low4 | bits[i + 4] | bits[i + 5] | bits[i + 6] | bits[i + 7]) === 0) continue
    }
    for (let j = i; j < stop; j += 2) {
      const x = m[j]
      const xBits = bits[j]
      const xAbove = ((xBits - highBits) >> 31) + 1
      const xHalf = ((xBits - halfBits) >> 31) + 1
      total0 += x
      above0 += x * xAbove
      half0 += x * xHalf
      countAbove += xAbove
      countHalf += xHalf
      faults |= xBits | (largestBits - xBits)
      if ((xBits - lowBits) >>> 0 < width) inside[insideLength++] = x
      if (j + 1 === stop) break
      const y = m[j + 1]
      const yBits = bits[j + 1]
      const yAbove = ((yBits - highBits) >> 31) + 1
      const yHalf = ((yBits - halfBits) >> 31) + 1
      total1 += y
      above1 += y * yAbove
      half1 += y * yHalf
      countAbove += yAbove
      countHalf += yHalf
      faults |= yBits | (largestBits - yBits)
      if ((yBits - lowBits) >>> 0 < width) inside[insideLength++] = y
    }
  }
  state.insideLength = insideLength
  state.total.add(total0 + total1)
  state.sumAbove.add(above0 + above1)
  state.sumHalf.add(half0 + half1)
  state.countAbove += countAbove
  state.countHalf += countHalf
  state.faults |= faults
}
