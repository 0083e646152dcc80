import { Arena, instantiate } from '../kernels/wasm/arena.ts'
import { wasmBase64 } from '../kernels/wasm/generated/sweep.ts'
import { ExactSum } from './exact-sum.ts'
import { ceilBits, checkProbabilities, floatOfBits, largestProbability, voxelsOf } from './probabilities.ts'

/** What one pass over the probabilities finds. */
export interface Sweep {
  readonly voxels: number
  /** ‖m‖, the sum of all probabilities. */
  readonly total: number
  /** Sum and number of the probabilities that are ≥ `high`. */
  readonly sumAbove: number
  readonly countAbove: number
  /** Sum and number of the probabilities that are ≥ ½. */
  readonly sumHalf: number
  readonly countHalf: number
  /** The positive probabilities in [low, high), in their order; undefined if there were more than `capacity`. */
  readonly inside: Float32Array | undefined
}

/**
 * One pass over all arrays: sums and counts above `high`, above ½ and in total, and a copy of what lies in [low, high).
 * Sums are exact within a block (see `blockLength`) and compensated between blocks.
 *
 * The inner loop is WebAssembly (assembly/sweep.ts): 20 million voxels take about a fifth of the time of the same loop
 * in JavaScript, the copy of each block into WebAssembly's memory included (bench/threshold.mjs).
 *
 * @throws InputError where a value is not a probability.
 */
export function sweep(m: readonly Float32Array[], low: number, high: number, capacity: number): Sweep {
  const lowBits = Math.max(1, ceilBits(low))
  const highFloat = floatOfBits(ceilBits(high))
  const collected = new Collected(capacity)
  const [total, sumAbove, sumHalf] = [new ExactSum(), new ExactSum(), new ExactSum()]
  let [countAbove, countHalf] = [0, 0]
  const { input, inside, sums, counts, sweepBlock } = (kernel ??= createKernel())
  for (const chunk of m) {
    for (let start = 0; start < chunk.length; start += blockLength) {
      const length = Math.min(blockLength, chunk.length - start)
      const padded = Math.ceil(length / 16) * 16
      input.set(length === chunk.length ? chunk : chunk.subarray(start, start + length))
      input.fill(0, length, padded)
      sweepBlock(input.byteOffset, padded, lowBits, highFloat, inside.byteOffset, sums.byteOffset)
      // Compared as unsigned numbers, the bits of NaN and of what has a sign are larger than those of any probability.
      if (counts[3] > largestBits) return sweepWithoutSigns(m, low, high, capacity)
      total.add(sums[0])
      sumAbove.add(sums[1])
      sumHalf.add(sums[2])
      countAbove += counts[0]
      countHalf += counts[1]
      if (counts[2] > 0) collected.add(inside.subarray(0, counts[2]))
    }
  }
  return {
    voxels: voxelsOf(m),
    total: total.value,
    sumAbove: sumAbove.value,
    countAbove,
    sumHalf: sumHalf.value,
    countHalf,
    inside: collected.values,
  }
}

/**
 * Voxels a block. Its partial sums stay below 2¹³ and so keep every bit of terms above 2⁻¹⁶ (53 − 13 − 24 bits below
 * 1): sums of such terms are exact. Two blocks fit the processor's second cache.
 */
const blockLength = 8192

const largestBits = ceilBits(largestProbability)

/** Either an input error or, as only a −0 has a sign and still is a probability, a sweep with the signs taken off. */
function sweepWithoutSigns(m: readonly Float32Array[], low: number, high: number, capacity: number): Sweep {
  checkProbabilities(m)
  return sweep(
    m.map((chunk) => chunk.map((x) => x + 0)),
    low,
    high,
    capacity,
  )
}

/** A growing copy of values, given up beyond its capacity. */
class Collected {
  readonly #capacity: number
  #store = new Float32Array(0)
  #length = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  add(values: Float32Array): void {
    const length = this.#length + values.length
    if (length <= this.#capacity) {
      if (length > this.#store.length) {
        const larger = new Float32Array(Math.min(this.#capacity, 2 * length))
        larger.set(this.#store.subarray(0, this.#length))
        this.#store = larger
      }
      this.#store.set(values, this.#length)
    }
    this.#length = length
  }

  get values(): Float32Array | undefined {
    return this.#length <= this.#capacity ? this.#store.subarray(0, this.#length) : undefined
  }
}

interface Kernel {
  readonly input: Float32Array
  readonly inside: Float32Array
  /** Total, above, half. */
  readonly sums: Float64Array
  /** Above, half, inside; then the largest bits. */
  readonly counts: Uint32Array
  readonly sweepBlock: (
    input: number,
    length: number,
    lowBits: number,
    high: number,
    inside: number,
    result: number,
  ) => void
}

let kernel: Kernel | undefined

function createKernel(): Kernel {
  const arena = new Arena()
  const input = arena.reserve(4 * blockLength)
  const inside = arena.reserve(4 * blockLength)
  const result = arena.reserve(40)
  const { sweepBlock } = instantiate<Pick<Kernel, 'sweepBlock'>>(wasmBase64, arena)
  return {
    input: arena.floats(input, blockLength),
    inside: arena.floats(inside, blockLength),
    sums: new Float64Array(arena.memory.buffer, result, 3),
    counts: new Uint32Array(arena.memory.buffer, result + 24, 4),
    sweepBlock,
  }
}
