import { InputError } from '../volume/errors.ts'
import { realValue, type Scaling, unscaled } from '../volume/scaling.ts'
import { cutLevels } from './cut-levels.ts'
import { ExactSum } from './exact-sum.ts'
import { describeSoftDice, type SoftDiceOptimum } from './soft-dice.ts'

/** Probabilities stored as small integers: m = slope · code + intercept. */
export type CodeArray = Uint8Array | Int8Array | Uint16Array | Int16Array

/** Decoded probabilities this little outside [0, 1] are rounding of the slope, and are clamped. */
const roundOff = 1e-4

/** Codes are counted at code + 32768, which is ≥ 0 for all four types. */
const codeOffset = 1 << 15
const codeSlots = 3 << 15

/**
 * The soft-Dice optimum of probabilities stored as integers (0…255 for a byte, 0…65535 with slope 1/65535, 0…252, …):
 * one pass counts the codes, chunk by chunk in any order, in 3 MB, and the optimum follows from the counts.
 *
 * Each code stands for the float64 number slope · code + intercept, and a voxel is in the mask where that number
 * reaches the threshold. (Rounded to float32 first, a number may fall on the other side of a threshold that it equals
 * to seven digits.) `optimum` throws an InputError where a code stands for a number outside [0, 1].
 *
 * @example
 * const histogram = new CodeHistogram({ slope: 1 / 255 })
 * histogram.add(new Uint8Array([255, 64, 0]))
 * histogram.optimum().threshold // 0.444…
 */
export class CodeHistogram {
  readonly #scaling: Scaling
  // Four counters a code, used in turn: equal codes, the rule in a volume, would wait for each other in one counter.
  readonly #counts = new Float64Array(4 * codeSlots)
  #voxels = 0

  /** @param scaling Default: slope 1, intercept 0. A negative slope is allowed. */
  constructor(scaling: Partial<Scaling> = {}) {
    this.#scaling = { ...unscaled, ...scaling }
  }

  /** Takes in a chunk of codes. */
  add(codes: CodeArray): void {
    const counts = this.#counts
    for (let i = 0; i < codes.length; i++) counts[4 * (codes[i] + codeOffset) + (i & 3)]++
    this.#voxels += codes.length
  }

  /**
   * The optimum of all chunks pooled.
   *
   * @throws InputError where a code that occurs stands for a number outside [0, 1] by more than 10⁻⁴.
   */
  optimum(): SoftDiceOptimum {
    const levels = this.#levels()
    const values = Float64Array.from(levels, (level) => level.value)
    const counts = Float64Array.from(levels, (level) => level.count)
    const [total, sumHalf] = [new ExactSum(), new ExactSum()]
    let countHalf = 0
    for (const { value, count } of levels) {
      total.add(value * count)
      if (value < 0.5) continue
      sumHalf.add(value * count)
      countHalf += count
    }
    return describeSoftDice({
      voxels: this.#voxels,
      total: total.value,
      sumHalf: sumHalf.value,
      countHalf,
      ...cutLevels({ values, counts }, { sum: 0, count: 0 }, total.value),
    })
  }

  /** The codes that occur, as probabilities in ascending order. */
  #levels(): { readonly value: number; readonly count: number }[] {
    const levels: { value: number; count: number }[] = []
    for (let slot = 0; slot < codeSlots; slot++) {
      const [a, b, c, d] = this.#counts.subarray(4 * slot, 4 * slot + 4)
      const count = a + b + c + d
      if (count === 0) continue
      const code = slot - codeOffset
      const value = realValue(code, this.#scaling)
      if (!(value >= -roundOff && value <= 1 + roundOff)) {
        throw new InputError('probabilities', `stored ${code} stands for ${value}, not in [0, 1]; check slope or scale`)
      }
      levels.push({ value: Math.min(1, Math.max(0, value)), count })
    }
    return levels.sort((a, b) => a.value - b.value)
  }
}
