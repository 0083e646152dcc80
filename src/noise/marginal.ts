import { normalCdf } from '../kernels/normal-cdf.ts'
import { type Box, boxOfLabel } from '../volume/box.ts'
import { checkLabelArgument, checkLabelArray, checkVoxels } from '../volume/checks.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, type Vec3, voxelCount } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { convolve, maskRows, type Part, partOf, type Rows, shareRows } from './convolve.ts'
import { biasReachMm, checkMarginalNoise, isPlain, type MarginalNoise } from './model.ts'
import { movedOutline, type Outline, outlineOf } from './outline.ts'

/** Probabilities on a part of a grid, i fastest; beyond the box they are below 10⁻⁷. */
export interface BoxedMarginal {
  readonly box: Box
  readonly data: Float32Array
}

/**
 * The probability of a class at every voxel under the label noise, in closed form (docs/theory.md, "Marginals in closed
 * form"; arXiv 2304.04116): m(x) = Σ_{v: l(v)=c} Π_axis [Φ((v−x+½)Δ/σ) − Φ((v−x−½)Δ/σ)], with the reference continued
 * beyond the grid by its edge voxels. It is exact for the nearest-voxel sampler (`createSampler`), whatever the length
 * scale.
 *
 * Of annotators who leave the class out, or draw its outline wide or tight, the sum goes over the share of annotators
 * for whom l(v) = c: the mean over all biases costs no more than one (docs/theory.md, "Several annotators").
 *
 * @param labels one integer class per voxel, i fastest
 * @param label the class; a label that does not occur has probability 0 everywhere
 * @param noise standard deviation of the displacement per axis of the grid, mm (0 leaves an axis unmoved), or a noise
 * model with presence and bias; its length scale plays no part
 * @param out memory for the result, overwritten; without it a new array
 * @returns one probability per voxel, within 10⁻⁶ of the formula
 * @throws InputError for labels that do not fit the grid, and σ that is not positive
 * @example
 * const labels = Uint8Array.of(0, 0, 1, 1)
 * marginal(labels, createGrid([4, 1, 1]), 1, [1, 1, 1]) // [0.0668…, 0.308…, 0.691…, 0.933…]
 * marginal(labels, createGrid([4, 1, 1]), 1, { sigmaMm: [1, 1, 1], presence: 0.5 })[3] // 0.466…
 */
export function marginal(
  labels: LabelArray,
  grid: Grid,
  label: number,
  noise: Vec3 | MarginalNoise,
  out?: Float32Array,
): Float32Array {
  const model = checkArguments(labels, grid, label, noise)
  const n = voxelCount(grid)
  if (out) {
    checkVoxels(out, 'out', n)
    if (!(out instanceof Float32Array)) throw new InputError('out', 'is no Float32Array; give one, or leave it out')
  }
  const result = out?.fill(0) ?? new Float32Array(n)
  const source = sourceOf(labels, grid, label, model)
  if (source) convolve(source.rows, grid, model.sigmaMm, source.part, result, grid.shape, source.part.box.start)
  scale(result, model.presence ?? 1)
  if (label === 0 && !isPlain(model)) for (let i = 0; i < n; i++) result[i] = 1 - result[i]
  return result
}

/**
 * As `marginal`, but only where the probability is not negligible: the class's bounding box grown by 5.5σ. The values
 * outside sum to less than 10⁻⁶ of the class's volume.
 *
 * @returns a box of the grid and one probability for each of its voxels, i fastest; undefined if the label does not
 * occur
 * @throws InputError as `marginal` does
 * @example
 * const labels = Uint8Array.from({ length: 100 }, (_, i) => (i === 50 ? 1 : 0))
 * marginalInBox(labels, createGrid([100, 1, 1]), 1, [1, 1, 1])?.box // { start: [44, 0, 0], shape: [13, 1, 1] }
 */
export function marginalInBox(
  labels: LabelArray,
  grid: Grid,
  label: number,
  noise: Vec3 | MarginalNoise,
): BoxedMarginal | undefined {
  const model = checkArguments(labels, grid, label, noise)
  const whole: Box = { start: [0, 0, 0], shape: grid.shape }
  // The background of annotators who leave labels out, or move outlines, is nowhere negligible.
  if (label === 0 && !isPlain(model)) return { box: whole, data: marginal(labels, grid, label, noise) }
  const source = sourceOf(labels, grid, label, model)
  if (!source) return undefined
  const { box } = source.part
  const data = new Float32Array(box.shape[0] * box.shape[1] * box.shape[2])
  convolve(source.rows, grid, model.sigmaMm, source.part, data, box.shape, [0, 0, 0])
  scale(data, model.presence ?? 1)
  return { box, data }
}

function checkArguments(labels: LabelArray, grid: Grid, label: number, noise: Vec3 | MarginalNoise): MarginalNoise {
  checkLabelArray(labels, grid)
  checkLabelArgument(label)
  const model = typeof noise === 'object' && 'sigmaMm' in noise ? noise : { sigmaMm: noise }
  checkMarginalNoise(model)
  return model
}

/** The share of annotators who have a class in mind at each voxel, before the displacement spreads it. */
interface Source {
  readonly rows: Rows
  readonly part: Part
}

/** The same for annotators who draw the class; of label 0 the foreground's, where annotators differ in more than σ. */
function sourceOf(labels: LabelArray, grid: Grid, label: number, model: MarginalNoise): Source | undefined {
  const { sigmaMm, biasMm = 0, biasSdMm = 0 } = model
  const outline = outlineOf(labels, grid, biasReachMm(model))
  if (outline && biasSdMm > 0) {
    return { rows: shareRows(sharesOf(outline, label, biasMm, biasSdMm)), part: partOf(outline.box, grid, sigmaMm) }
  }
  const moved = outline ? movedOutline(labels, grid, outline, biasMm) : labels
  const isForeground = label === 0 && !isPlain(model)
  const own = isForeground ? Uint8Array.from(moved, (value) => Number(value !== 0)) : moved
  const value = isForeground ? 1 : label
  const box = boxOfLabel(own, grid.shape, value)
  return box && { rows: maskRows(own, grid.shape, value), part: partOf(box, grid, sigmaMm) }
}

/** P(distance ≤ b) for b ~ N(biasMm, biasSdMm²), where the nearest label is this one; of label 0, where any is. */
function sharesOf({ distanceMm, labels }: Outline, label: number, biasMm: number, biasSdMm: number): Float32Array {
  const shares = new Float32Array(distanceMm.length)
  for (let v = 0; v < shares.length; v++) {
    if (label === 0 || labels[v] === label) shares[v] = normalCdf((biasMm - distanceMm[v]) / biasSdMm)
  }
  return shares
}

function scale(data: Float32Array, factor: number): void {
  if (factor !== 1) for (let i = 0; i < data.length; i++) data[i] *= factor
}
