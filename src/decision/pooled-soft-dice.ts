import { ExactSum } from './exact-sum.ts'
import { bitsOf, ceilBits, checkProbabilities, floatOfBits, largestProbability } from './probabilities.ts'
import { describeSoftDice, type SoftDiceOptimum } from './soft-dice.ts'

/** A bin holds the float32 numbers that share their upper bits: 2¹³ numbers, 0.1 % wide. */
const fineBits = 13
const bins = (ceilBits(largestProbability) >> fineBits) + 2

/**
 * `softDiceOptimum` of more cases than fit into memory, in two passes over them: the first counts all voxels in a
 * histogram, which shows in which bin t* lies; the second counts every float32 number of that bin. Exact, in 4 MB.
 *
 * @example
 * const pool = new PooledSoftDice()
 * for (const m of cases()) pool.add(m)
 * pool.refine()
 * for (const m of cases()) pool.add(m)
 * pool.optimum().threshold // the data-set threshold
 */
export class PooledSoftDice {
  readonly #counts = new Float64Array(bins)
  readonly #sums = new Float64Array(bins)
  #total = 0
  readonly #fine = new Float64Array(1 << fineBits)
  #voxels = 0
  #voxelsAgain = 0
  /** The bin of t*, known after the first pass. */
  #bin: number | undefined

  /** Adds a case, or a part of one, to the pass under way. Throws InputError for values outside [0, 1]. */
  add(m: Float32Array): void {
    if (this.#bin === undefined) this.#addCoarse(m)
    else this.#addFine(m, this.#bin)
  }

  #addCoarse(m: Float32Array): void {
    checkProbabilities(m)
    const [bits, counts, sums] = [bitsOf(m), this.#counts, this.#sums]
    for (let i = 0; i < bits.length; i++) {
      if (bits[i] <= 0) continue
      const bin = bits[i] >> fineBits
      counts[bin]++
      // Exact up to 2²⁹ voxels: the terms of a bin are multiples of one power of two.
      sums[bin] += m[i]
    }
    this.#voxels += m.length
  }

  /** Ends the first pass. The same cases must be added again, in any order. */
  refine(): void {
    const total = new ExactSum()
    for (const sum of this.#sums) total.add(sum)
    this.#total = total.value
    // F(t) = Σ max(m − t, 0) − t‖m‖ falls with t, and its root is t*.
    let [sum, count] = [0, 0]
    for (let bin = bins - 1; bin >= 0; bin--) {
      sum += this.#sums[bin]
      count += this.#counts[bin]
      const edge = floatOfBits(bin << fineBits)
      if (sum - edge * (count + this.#total) >= 0) {
        this.#bin = bin
        return
      }
    }
    this.#bin = 0
  }

  #addFine(m: Float32Array, target: number): void {
    const bits = bitsOf(m)
    for (let i = 0; i < bits.length; i++) {
      if (bits[i] >> fineBits === target) this.#fine[bits[i] & ((1 << fineBits) - 1)]++
    }
    this.#voxelsAgain += m.length
  }

  /** The optimum of all voxels pooled, after the second pass. */
  optimum(): SoftDiceOptimum {
    const bin = this.#bin
    if (bin === undefined || this.#voxelsAgain !== this.#voxels) {
      throw new Error('PooledSoftDice: add the same cases a second time after refine()')
    }
    const total = this.#total
    const half = ceilBits(0.5) >> fineBits
    let [sum, count, sumHalf, countHalf] = [0, 0, 0, 0]
    for (let b = bins - 1; b > bin; b--) {
      sum += this.#sums[b]
      count += this.#counts[b]
    }
    for (let b = bins - 1; b >= half; b--) {
      sumHalf += this.#sums[b]
      countHalf += this.#counts[b]
    }
    let [smallest, atSmallest] = [Number.POSITIVE_INFINITY, 0]
    for (let low = (1 << fineBits) - 1; low >= 0; low--) {
      const n = this.#fine[low]
      if (n === 0) continue
      const value = floatOfBits((bin << fineBits) | low)
      // A value joins the mask unless it is below half of the Dice without it.
      if (value < sum / (count + total)) break
      smallest = value
      atSmallest = n
      sum += n * value
      count += n
    }
    // Rounding must not lift the threshold above a value that is in the mask.
    const threshold = Math.min(sum / (count + total), smallest)
    const ties = threshold === smallest ? atSmallest : 0
    return describeSoftDice({ voxels: this.#voxels, total, sumHalf, countHalf, threshold, sum, count, ties })
  }
}
