import { bitsOf, ceilBits } from './probabilities.ts'

/** The cut of one map, and what a voxel of it is worth. */
export interface MapCut {
  /** The map's own set is {m ≥ threshold}; greater than 0. */
  readonly threshold: number
  /** What a unit of m above the threshold adds to the score (see `scoreWeight`). */
  readonly weight: number
}

/**
 * The weight of a class in the sum of Dice over classes: to first order, taking in a voxel of probability m changes its Dice
 * by (2m − D)/(#S + ‖m‖) = 2(m − t)/(#S + ‖m‖). For IoU, N/U with N = Σ_S m and U = #S + ‖m‖ − N, by (m − t)(U + N)/U².
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

/** What a class's own set lost to other classes: Σ m over the voxels lost, and their number. */
export interface Loss {
  readonly sum: number
  readonly count: number
}

/** Scores are held in blocks, so that regions that nobody claims take no memory. */
const blockLength = 1 << 16

/**
 * One label a voxel from maps of classes that exclude each other. Each class claims its own best set {m ≥ t}; a voxel that
 * several claim goes to the class with the largest weight·(m − t), which costs the sum of the classes' Dice least
 * (docs/pipelines.md proves how close that comes to the best labelling). Maps come one after the other and are not kept.
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
  readonly #scores: (Float32Array | undefined)[]
  readonly #maps: { readonly label: number; readonly cut: MapCut; sum: number; count: number }[] = []

  constructor(voxels: number) {
    this.#owners = new Uint8Array(voxels)
    this.#scores = new Array(Math.ceil(voxels / blockLength)).fill(undefined)
  }

  /** Takes in the map of one class, whose voxels get `label`. */
  add(map: Float32Array, label: number, cut: MapCut): void {
    this.#maps.push({ label, cut, sum: 0, count: 0 })
    const own = this.#maps.length
    if (own === 256) this.#owners = Uint16Array.from(this.#owners)
    const owners = this.#owners
    const { threshold, weight } = cut
    // Bits of numbers ≥ 0 are ordered as the numbers are; most voxels fall to one comparison of integers.
    const bits = bitsOf(map)
    const from = ceilBits(threshold)
    for (let start = 0, block = 0; start < map.length; start += blockLength, block++) {
      const end = Math.min(start + blockLength, map.length)
      let scores = this.#scores[block]
      for (let i = start; i < end; i++) {
        if (bits[i] < from) continue
        const m = map[i]
        scores ??= this.#scores[block] = new Float32Array(blockLength)
        const score = weight * (m - threshold)
        const owner = owners[i]
        if (owner > 0) {
          const previous = scores[i - start]
          if (score <= previous) {
            this.#lose(own, m)
            continue
          }
          const theirs = this.#maps[owner - 1].cut
          this.#lose(owner, previous / theirs.weight + theirs.threshold)
        }
        owners[i] = own
        scores[i - start] = score
      }
    }
  }

  #lose(map: number, m: number): void {
    const loser = this.#maps[map - 1]
    loser.sum += m
    loser.count++
  }

  /** What each map lost to others, in the order in which they were added. */
  losses(): Loss[] {
    return this.#maps.map(({ sum, count }) => ({ sum, count }))
  }

  /** The label map; the decoder must not be used afterwards. */
  finish(): Uint8Array | Uint16Array {
    const labels = [0, ...this.#maps.map(({ label }) => label)]
    const large = Math.max(...labels) > 255
    const out = large && this.#owners instanceof Uint8Array ? new Uint16Array(this.#owners.length) : this.#owners
    const owners = this.#owners
    for (let i = 0; i < owners.length; i++) out[i] = labels[owners[i]]
    return out
  }
}
