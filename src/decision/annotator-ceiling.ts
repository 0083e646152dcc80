import { marginalInBox } from '../noise/marginal.ts'
import { biasReachMm, type NoiseModel } from '../noise/model.ts'
import { createSampler } from '../noise/sampler.ts'
import { boxOfLabel, cropEqual, growBox } from '../volume/box.ts'
import { type Grid, vec3 } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { streamSeed } from '../volume/random.ts'
import { softDiceOptimum } from './soft-dice.ts'

/** What annotators who draw a label with this noise leave to reach; of those who leave it out nothing is said. */
export interface AnnotatorCeiling {
  /** D*: the best expected Dice of any mask to such an annotator. */
  readonly best: number
  /** The mean Dice of two such annotators. */
  readonly annotators: number
  /** The prediction's expected Dice to such an annotator, where the reference is what they all looked at. */
  readonly expected: number
  /** The share of `best` that the prediction's expected Dice is. */
  readonly reached: number
}

/** So many annotators are drawn for the Dice of two: 28 pairs, a bit each in a byte. */
const drawn = 8

/** Beyond so many σ no voxel of ten million changes. */
const farthest = 6

/**
 * How well a label can be predicted where annotators are as noisy as this, and the reference is the mask that they
 * move (docs/annotators.md, "The ceiling"): D* and the prediction's expected Dice are soft Dice with the closed-form
 * marginals (arXiv 2304.04116), the annotators' own is the mean over drawn pairs.
 *
 * @param reference voxels below 0 were not annotated, and count in nothing
 * @returns undefined where the reference does not hold the label
 */
export function annotatorCeiling(
  prediction: ArrayLike<number>,
  reference: LabelArray,
  grid: Grid,
  label: number,
  { presence: _, ...noise }: NoiseModel,
): AnnotatorCeiling | undefined {
  const own = boxOfLabel(reference, grid.shape, label)
  if (own === undefined) return undefined
  const reach = (axis: number) => (biasReachMm(noise) + farthest * noise.sigmaMm[axis]) / grid.spacing[axis]
  const box = growBox(
    own,
    vec3((axis) => Math.ceil(reach(axis)) + 3),
    grid,
  )
  const part: Grid = { ...grid, shape: box.shape }
  const mask = cropEqual(reference, grid.shape, box, label)
  const m = new Float32Array(mask.length)
  const { box: inner, data } = marginalInBox(mask, part, 1, noise) ?? { box, data: m }
  place(data, inner, m, box.shape)
  let total = 0
  let inside = 0
  for (let k = 0, v = 0; k < box.shape[2]; k++) {
    for (let j = 0; j < box.shape[1]; j++) {
      const row = ((box.start[2] + k) * grid.shape[1] + box.start[1] + j) * grid.shape[0] + box.start[0]
      for (let i = 0; i < box.shape[0]; i++, v++) {
        if (reference[row + i] < 0) m[v] = 0
        total += m[v]
        if (prediction[row + i] === label) inside += m[v]
      }
    }
  }
  let size = 0
  for (let v = 0; v < reference.length; v++) if (prediction[v] === label && reference[v] >= 0) size++
  const best = softDiceOptimum(m).supDice
  const expected = size + total === 0 ? 1 : (2 * inside) / (size + total)
  return { best, annotators: pairsDice(mask, part, noise), expected, reached: expected / best }
}

function place(
  data: Float32Array,
  { start, shape: [nx, ny, nz] }: { readonly start: readonly number[]; readonly shape: readonly number[] },
  out: Float32Array,
  [gx, gy]: readonly number[],
): void {
  for (let k = 0, from = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++, from += nx) {
      out.set(data.subarray(from, from + nx), ((start[2] + k) * gy + start[1] + j) * gx + start[0])
    }
  }
}

/** The mean Dice of all pairs of drawn annotators: who holds a voxel is a byte's bits, counted by what occurs. */
function pairsDice(mask: Uint8Array, grid: Grid, noise: NoiseModel): number {
  const sampler = createSampler(mask, grid, noise)
  const seed = streamSeed('ceiling')
  const codes = new Uint8Array(mask.length)
  const sample = new Uint8Array(mask.length)
  for (let r = 0; r < drawn; r++) {
    sampler.sample(seed, r, sample)
    for (let v = 0; v < sample.length; v++) codes[v] |= sample[v] << r
  }
  const counts = new Float64Array(2 ** drawn)
  for (let v = 0; v < codes.length; v++) counts[codes[v]]++
  const voxels = (bits: number) => counts.reduce((sum, count, code) => sum + ((code & bits) === bits ? count : 0), 0)
  let [sum, pairs] = [0, 0]
  for (let a = 0; a < drawn; a++) {
    for (let b = 0; b < a; b++) {
      const size = voxels(1 << a) + voxels(1 << b)
      sum += size === 0 ? 1 : (2 * voxels((1 << a) | (1 << b))) / size
      pairs++
    }
  }
  return sum / pairs
}
