import { BitHistogram } from './bit-histogram.ts'
import { cutLevels, type Levels } from './cut-levels.ts'
import { ExactSum } from './exact-sum.ts'
import { bitsOf, floatOfBits } from './probabilities.ts'
import { describeSoftDice, type SoftDiceOptimum } from './soft-dice.ts'

// What `DiceHistogram` is made of, in parts that several processes can share: counts and sums of counts are exact, so
// that they may be added up in any order.

/** The upper 16 bits of a float32 choose the bin (sign, exponent, 7 bits of fraction), the lower 16 the place in it. */
const shift = 16

/** Counts and sums by the upper half of each number's bits. */
export class CoarseCounts extends BitHistogram {
  constructor() {
    super(shift)
  }

  /** Takes in what another one, or its copy from another process, has counted. */
  merge({ counts, sums, voxels }: Pick<BitHistogram, 'counts' | 'sums' | 'voxels'>): void {
    for (let bin = 0; bin < counts.length; bin++) {
      this.counts[bin] += counts[bin]
      this.sums[bin] += sums[bin]
    }
    this.voxels += voxels
  }
}

/** The bin in which t* lies, and what is known of all numbers. */
export interface CoarseOptimum {
  readonly bin: number
  /** Of all bins above. */
  readonly above: { readonly sum: number; readonly count: number }
  readonly totals: Totals
}

/** Where the second pass has to look. */
export function coarseOptimum(coarse: CoarseCounts): CoarseOptimum {
  const { counts, sums, voxels } = coarse
  const total = sumOf(sums, 0)
  const half = coarse.binOf(0.5)
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
  } while (bin > 0 && sum.value < coarse.lowerEdge(bin) * (count + total))
  const totals = {
    voxels,
    total,
    sumHalf: sumOf(sums, half),
    countHalf: counts.subarray(half).reduce((a, b) => a + b, 0),
  }
  return { bin, above, totals }
}

/** Counts of the distinct numbers in one bin, by the lower half of their bits. */
export class FineCounts {
  readonly bin: number
  readonly #counts = new Float64Array(1 << shift)

  constructor(bin: number) {
    this.bin = bin
  }

  add(chunk: Float32Array): void {
    const bits = bitsOf(chunk)
    const [bin, counts] = [this.bin, this.#counts]
    for (let i = 0; i < bits.length; i++) {
      const b = bits[i]
      if (b >>> shift === bin) counts[b & 0xffff]++
    }
  }

  /** The numbers that occurred, and how often: plain data, for `merge` in another process. */
  occurred(): Occurred {
    const places = Uint32Array.from([...this.#counts.keys()].filter((low) => this.#counts[low] > 0))
    return { places, counts: Float64Array.from(places, (low) => this.#counts[low]) }
  }

  merge({ places, counts }: Occurred): void {
    for (const [i, low] of places.entries()) this.#counts[low] += counts[i]
  }

  /** The numbers that fall into the bin, ascending, and how often each occurred. */
  get levels(): Levels {
    const values = Float64Array.from(this.#counts, (_, low) => floatOfBits((this.bin << shift) | low))
    return { values, counts: this.#counts }
  }

  /** The optimum of all numbers, those of other bins among them. */
  optimum({ above, totals }: CoarseOptimum): SoftDiceOptimum {
    return describeSoftDice({ ...totals, ...cutLevels(this.levels, above, totals.total) })
  }
}

export interface Occurred {
  readonly places: Uint32Array
  readonly counts: Float64Array
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
