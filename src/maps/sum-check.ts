import { InputError } from '../volume/errors.ts'

/** Voxels looked at: enough to see a network's habit, few enough to cost nothing. */
const sampled = 1 << 18
/** float16 rounds 25 classes to within 10⁻³ of 1; bytes to within 0.05. */
const tolerated = 0.01
/** Beyond this, on more than one voxel in a hundred, the maps are no softmax. */
const impossible = 0.1

/**
 * What maps add up to, on an even sample of voxels: 1 for a softmax with its background, at most 1 without. Voxels
 * where all maps are 0 pass: nnU-Net pads so around its crop.
 */
export class SumCheck {
  readonly #sums: Float64Array
  readonly #stride: number
  readonly #whole: boolean

  /** @param whole whether the background is among the maps */
  constructor(voxels: number, whole: boolean) {
    // Odd, so that it does not meet the same column of every row.
    this.#stride = Math.max(1, Math.floor(voxels / sampled)) | 1
    this.#sums = new Float64Array(Math.ceil(voxels / this.#stride))
    this.#whole = whole
  }

  add(map: Float32Array): void {
    const [sums, stride] = [this.#sums, this.#stride]
    for (let n = 0, i = 0; n < sums.length; n++, i += stride) sums[n] += map[i]
  }

  /** Whether the maps add up to 1 at 99 of 100 voxels where they hold anything, and hold something at half of all. */
  addUpToOne(): boolean {
    let [held, off] = [0, 0]
    for (const sum of this.#sums) {
      if (sum === 0) continue
      held++
      // As bytes or per cent, each of some classes is rounded.
      if (Math.abs(sum - 1) > 5 * tolerated) off++
    }
    return 2 * held >= this.#sums.length && off <= held / 100
  }

  /** A warning, or undefined where all is well. Throws InputError where the maps cannot be what they are taken for. */
  verdict(subject: string): string | undefined {
    let [worst, off, wrong] = [1, 0, 0]
    for (const sum of this.#sums) {
      const error = Math.abs(sum - 1)
      if (sum === 0 || (!this.#whole && sum < 1)) continue
      if (error > tolerated) off++
      if (error > impossible) wrong++
      if (error > Math.abs(worst - 1)) worst = sum
    }
    if (wrong > this.#sums.length / 100) {
      throw new InputError(
        subject,
        `its classes add up to ${worst.toPrecision(3)} at some voxels, not to 1; ` +
          'if they are not one softmax, use --decode separate, or --logits softmax for raw outputs',
      )
    }
    if (off === 0) return undefined
    return `its classes add up to ${worst.toPrecision(3)} instead of 1 at the worst of ${off} voxels`
  }
}
