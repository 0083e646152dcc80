import { CoarseCounts, type CoarseOptimum, coarseOptimum, FineCounts } from './dice-counts.ts'
import type { SoftDiceOptimum } from './soft-dice.ts'

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
  readonly #histogram = new CoarseCounts()

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
    return new DiceRefinement(coarseOptimum(this.#histogram))
  }
}

/** The second pass of `DiceHistogram`. */
export class DiceRefinement {
  readonly #coarse: CoarseOptimum
  readonly #counts: FineCounts

  /** Made by `DiceHistogram.refine`. */
  constructor(coarse: {
    readonly bin: number
    readonly above: { readonly sum: number; readonly count: number }
    readonly totals: {
      readonly voxels: number
      readonly total: number
      readonly sumHalf: number
      readonly countHalf: number
    }
  }) {
    this.#coarse = coarse
    this.#counts = new FineCounts(coarse.bin)
  }

  /** Takes in a chunk; all chunks of the first pass must come again, in any order and cut in any way. */
  add(chunk: Float32Array): void {
    this.#counts.add(chunk)
  }

  /** The optimum of all chunks pooled. */
  optimum(): SoftDiceOptimum {
    return this.#counts.optimum(this.#coarse)
  }
}
