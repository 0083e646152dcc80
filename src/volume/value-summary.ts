import { realValue, type Scaling, unscaled } from './scaling.ts'
import type { VoxelArray } from './volume.ts'

/** Values this little outside [0, 1] are round-off of a network or a resampler, and are clamped. */
export const roundOff = 1e-4
/** What programs store for probability 1: per cent, bytes, 16-bit numbers. */
const usualScales = [100, 255, 65535] as const
/** A label map has few labels, a map of probabilities stored as bytes most of its 256 values. */
const fewValues = 64
/** Distinct values are counted up to here: the largest sets of labels (FreeSurfer's parcellations) have some 200. */
const mostCounted = 300
/** How far splines of order three overshoot at an edge from 0 to 1, with a margin. */
const overshoot = 0.2

/** What stored numbers look like, for numbers that were to be probabilities and are not. */
export class ValueSummary {
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY
  #whole = true
  readonly #distinct = new Set<number>()
  #seen = 0
  #notFinite: { readonly at: number; readonly value: number } | undefined

  /** Takes in numbers, in file order. */
  add(data: VoxelArray, scaling: Scaling = unscaled): void {
    let previous = Number.NaN
    for (let i = 0; i < data.length && this.#notFinite === undefined; i++) {
      if (data[i] === previous) continue
      previous = data[i]
      const value = realValue(previous, scaling)
      if (!Number.isFinite(value)) this.#notFinite = { at: this.#seen + i, value }
      if (value < this.#min) this.#min = value
      if (value > this.#max) this.#max = value
      if (!Number.isInteger(value)) this.#whole = false
      if (this.#distinct.size <= mostCounted) this.#distinct.add(value)
    }
    this.#seen += data.length
  }

  /**
   * Why these numbers are no probabilities, and what to do: a sentence for an `InputError`.
   *
   * @param scale what the user said stands for probability 1
   * @param voxels voxels of one map, so that a voxel of a later map is named as that
   */
  fault(scale?: number, voxels = Number.POSITIVE_INFINITY): string {
    if (this.#notFinite) {
      const { at, value } = this.#notFinite
      const map = Math.floor(at / voxels)
      const where = map > 0 ? `voxel ${at % voxels} of map ${map + 1}` : `voxel ${at}`
      return `${where} is ${value}; probabilities must be finite numbers within [0, 1]`
    }
    const range = `values run from ${+this.#min.toPrecision(6)} to ${+this.#max.toPrecision(6)}`
    if (scale !== undefined) {
      const wanted = `not within [0, ${scale}] as --scale ${scale} says`
      return `${range}, ${wanted}; give what stands for probability 1 in this file`
    }
    return `${range}, not within [0, 1]; ${this.#remedy()}`
  }

  #remedy(): string {
    const [min, max, distinct] = [this.#min, this.#max, this.#distinct.size]
    const scale = usualScales.find((each) => max <= each * (1 + roundOff) && max >= each / 2)
    const segmentation = 'a label map: give the probabilities, not the segmentation'
    const labels = `its ${distinct} distinct whole numbers look like ${segmentation}`
    const image = 'they look like an image, not like probabilities: give what the network predicted'
    if (this.#whole && distinct <= fewValues && this.#distinct.has(0) && max < 50) return labels
    if (min >= -overshoot && max <= 1 + overshoot) {
      return 'if interpolation of a higher order overshot, clip them (numpy: p.clip(0, 1)) or resample linearly'
    }
    if (min < -roundOff) {
      if (min < -500 || max > 1000 || (this.#whole && max - min > 50)) return image
      return 'if they are logits, say so: --logits softmax (or sigmoid)'
    }
    if (scale !== undefined) return `if they are probabilities times ${scale}, say so: --scale ${scale}`
    if (this.#whole) return distinct <= mostCounted ? labels : image
    return max > 1000 ? image : 'give the probabilities of a network'
  }
}
