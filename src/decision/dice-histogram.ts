import { BitHistogram } from './bit-histogram.ts'
import { cutLevels, type Levels } from './cut-levels.ts'
import { ExactSum } from './exact-sum.ts'
import { bitsOf, floatOfBits } from './probabilities.ts'
import { describeSoftDice, type SoftDiceOptimum } from './soft-dice.ts'

/** The upper 16 bits of a float32 choose the bin (sign, exponent, 7 bits of fraction), the lower 16 the place in it. */
const shift = 16

/**
 * The soft-Dice optimum of probabilities that are never held in memory at once: two passes over chunks in any order,
 * such as the pieces of a file or all files of a data set, in less than 1 MB. The result equals `softDiceOptimum` of
 * all chunks together.
 *
 * The first pass counts and sums by the upper half of each number's bits, which tells the bin in which t* lies; the
 * second counts each distinct number in that bin. Sums are exact (see `BitHistogram`), so that the result does not
 * depend on the order of the chunks.
 *
 * @example
 * const chunks = [Float32Array.of(1, 0.25), Float32Array.of(0)]
 * const first = new DiceHistogram()
 * for (const chunk of chunks) first.add(chunk)
 * const second = first.refine()
 * for (const chunk of chunks) second.add(chunk)
 * second.optimum().threshold // 0.444…
 */
export class DiceHistogram {
  readonly #histogram = new BitHistogram(shift)

  /**
   * Takes in a chunk of probabilities.
   *
   * @throws InputError where a value is NaN or outside [0, 1.00001], with its index in the chunk.
   */
  add(chunk: Float32Array): void {
    this.#histogram.add(chunk)
  }

  /** Ends the first pass and starts the second, which must be given the same probabilities. */
  refine(): DiceRefinement {
    const { counts, sums, voxels } = this.#histogram
    const total = sumOf(sums, 0)
    const half = this.#histogram.binOf(0.5)
    // The largest bin whose lower edge e still has Σ_{m≥e} m ≥ e(#{m≥e} + ‖m‖), which is where e ≤ t*.
    const sum = new ExactSum()
    let count = 0
    let bin = counts.length
    let above = { sum: 0, count: 0 }
    do {
      above = { sum: sum.value, count }
      bin--
      sum.add(sums[bin])
      count += counts[bin]
    } while (bin > 0 && sum.value < this.#histogram.lowerEdge(bin) * (count + total))
    return new DiceRefinement(bin, above, {
      voxels,
      total,
      sumHalf: sumOf(sums, half),
      countHalf: counts.subarray(half).reduce((a, b) => a + b, 0),
    })
  }
}

/** The second pass of `DiceHistogram`. */
export class DiceRefinement {
  readonly #bin: number
  readonly #above: { readonly sum: number; readonly count: number }
  readonly #totals: Totals
  readonly #counts = new Float64Array(1 << shift)

  /** Made by `DiceHistogram.refine`. */
  constructor(bin: number, above: { readonly sum: number; readonly count: number }, totals: Totals) {
    this.#bin = bin
    this.#above = above
    this.#totals = totals
  }

  /** Takes in a chunk; all chunks of the first pass must come again, in any order and cut in any way. */
  add(chunk: Float32Array): void {
    const bits = bitsOf(chunk)
    for (let i = 0; i < bits.length; i++) {
      const b = bits[i]
      if (b >>> shift === this.#bin) this.#counts[b & 0xffff]++
    }
  }

  /** The optimum of all chunks pooled. */
  optimum(): SoftDiceOptimum {
    const values = Float64Array.from(this.#counts, (_, low) => floatOfBits((this.#bin << shift) | low))
    const levels: Levels = { values, counts: this.#counts }
    return describeSoftDice({ ...this.#totals, ...cutLevels(levels, this.#above, this.#totals.total) })
  }
}

interface Totals {
  readonly voxels: number
  readonly total: number
  readonly sumHalf: number
  readonly countHalf: number
}

function sumOf(sums: Float64Array, from: number): number {
  const sum = new ExactSum()
  for (let bin = from; bin < sums.length; bin++) sum.add(sums[bin])
  return sum.value
}
