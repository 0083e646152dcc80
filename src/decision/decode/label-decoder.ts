import { positionsBlock, positionsFrom } from '../../kernels/voxels.ts'
import { ceilBits } from '../probabilities.ts'

/** The cut of one map, and what a voxel of it is worth. */
export interface MapCut {
  /** The map's own set is {m ≥ threshold}; greater than 0. */
  readonly threshold: number
  /** What a unit of m above `zero` adds to the score (see `scoreWeight`). */
  readonly weight: number
  /** From where m counts; default: the threshold. */
  readonly zero?: number
  /** What stands for ½; default: ½. */
  readonly half?: number
}

/**
 * The weight of a class in the sum of Dice over classes: to first order, taking in a voxel of probability m changes its
 * Dice by (2m − D)/(#S + ‖m‖) = 2(m − t)/(#S + ‖m‖). For IoU, N/U with N = Σ_S m and U = #S + ‖m‖ − N, by (m − t)(U +
 * N)/U².
 *
 * @param sums Σ_S m, #S and ‖m‖ of the class's own set S
 */
export function scoreWeight(
  metric: 'dice' | 'iou',
  { sum, count, total }: { readonly sum: number; readonly count: number; readonly total: number },
): number {
  const union = count + total - sum
  return metric === 'dice' ? 2 / (count + total) : (union + sum) / union ** 2
}

/** What a mask S of a map holds: Σ_S m, #S, and the number of its voxels with m ≥ ½ (or what stands for ½). */
export interface Holding {
  readonly sum: number
  readonly count: number
  readonly countHalf: number
}

/** The probabilities of owners are held in blocks, so that parts of the image that nobody claims take no memory. */
const blockLength = positionsBlock

/**
 * One label a voxel from maps of classes that exclude each other. Each class claims its own best set {m ≥ t}; a voxel
 * that several claim goes to the class with the largest weight·(m − t), which costs the sum of the classes' Dice least
 * (docs/pipelines.md proves how close that comes to the best labelling). Maps come one after the other and are not
 * kept.
 *
 * @example
 * const decoder = new LabelDecoder(n)
 * decoder.add(liver, 1, { threshold: 0.45, weight: 1e-5 })
 * decoder.add(tumour, 2, { threshold: 0.3, weight: 1e-3 })
 * decoder.finish() // Uint8Array
 */
export class LabelDecoder {
  /** For each voxel the number of the map that holds it, counted from 1; 0 for none. */
  #owners: Uint8Array | Uint16Array
  readonly #held: (Float32Array | undefined)[]
  readonly #maps: { readonly label: number; readonly cut: MapCut; sum: number; count: number; countHalf: number }[] = []

  constructor(voxels: number) {
    this.#owners = new Uint8Array(voxels)
    this.#held = new Array(Math.ceil(voxels / blockLength)).fill(undefined)
  }

  /** Takes in the map of one class, whose voxels get `label`. */
  add(map: Float32Array, label: number, cut: MapCut): void {
    const own = { label, cut, sum: 0, count: 0, countHalf: 0 }
    this.#maps.push(own)
    const number = this.#maps.length
    if (number === 256) this.#owners = Uint16Array.from(this.#owners)
    const owners = this.#owners
    const { threshold, weight, zero = threshold, half = 0.5 } = cut
    const from = ceilBits(threshold)
    for (let start = 0, block = 0; start < map.length; start += blockLength, block++) {
      const claimed = positionsFrom(map, start, from)
      if (claimed.length === 0) continue
      const held = this.#held[block] ?? new Float32Array(blockLength)
      this.#held[block] = held
      for (let n = 0; n < claimed.length; n++) {
        const at = claimed[n]
        const i = start + at
        const m = map[i]
        if (owners[i] > 0) {
          const other = this.#maps[owners[i] - 1]
          const theirs = held[at]
          if (weight * (m - zero) <= other.cut.weight * (theirs - (other.cut.zero ?? other.cut.threshold))) continue
          other.sum -= theirs
          other.count--
          if (theirs >= (other.cut.half ?? 0.5)) other.countHalf--
        }
        owners[i] = number
        held[at] = m
        own.sum += m
        own.count++
        if (m >= half) own.countHalf++
      }
    }
  }

  /**
   * Takes voxels back from whoever holds them where the rest of 1, `1 − total`, is larger than what is held: the
   * background of maps that come without one.
   */
  yieldToRest(totals: Float32Array): void {
    const owners = this.#owners
    for (let i = 0; i < owners.length; i++) {
      if (owners[i] === 0) continue
      const m = this.#held[Math.floor(i / blockLength)]?.[i % blockLength] ?? 0
      if (m >= 1 - totals[i]) continue
      const owner = this.#maps[owners[i] - 1]
      owner.sum -= m
      owner.count--
      if (m >= (owner.cut.half ?? 0.5)) owner.countHalf--
      owners[i] = 0
    }
  }

  /** What each map holds, in the order in which they were added. */
  holdings(): Holding[] {
    return this.#maps.map(({ sum, count, countHalf }) => ({ sum, count, countHalf }))
  }

  /** The label map; the decoder must not be used afterwards. */
  finish(): Uint8Array | Uint16Array {
    const labels = Uint16Array.from([0, ...this.#maps.map(({ label }) => label)])
    const owners = this.#owners
    // As most often: the first class is label 1, the second 2, and so on.
    if (labels.every((label, number) => label === number)) return owners
    const large = labels.some((label) => label > 255)
    const out = large && owners instanceof Uint8Array ? new Uint16Array(owners.length) : owners
    for (let i = 0; i < owners.length; i++) out[i] = labels[owners[i]]
    return out
  }
}
