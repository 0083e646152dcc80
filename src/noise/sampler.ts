import { type Box, boxOf, growBox } from '../volume/box.ts'
import { checkLabelArray } from '../volume/checks.ts'
import { type Grid, vec3 } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { randomStream } from '../volume/random.ts'
import { maxSigmas } from './blocks.ts'
import { checkOut, FieldSampler } from './field-sampler.ts'
import { biasReachMm, checkNoiseModel, isPlain, type NoiseModel } from './model.ts'
import { cropLabels, movedOutline, type Outline, outlineOf } from './outline.ts'

/**
 * Draws noisy versions of one label map under the noise model of docs/theory.md, "A noise model for contours" (arXiv
 * 2304.04116): every class moves with one Gaussian displacement field, L(x) = l(nearest voxel of x + X(x)). Where the
 * noise has a presence or a bias, l is what an annotator of docs/theory.md, "Several annotators", has in mind.
 */
export interface Sampler<A extends LabelArray = LabelArray> {
  /**
   * The part of the grid in which samples can differ from the reference; undefined if the map holds one label only.
   * Beyond it a label could change only by a displacement of more than 6σ (probability 2·10⁻⁹ a voxel and axis).
   */
  readonly box: Box | undefined
  /**
   * Sample number `index` of the stream `seed` (integers ≥ 0; seed < 2⁵³): a new label map, or `out` overwritten. The
   * same numbers give the same labels whatever was drawn before, in every process, thread and engine.
   */
  sample(seed: number, index: number, out?: A): A
  /** As `sample`, but only the labels of `box`, i fastest; for statistics this is cheaper than the whole grid. */
  sampleBox(seed: number, index: number): A
}

/**
 * Prepares to draw noisy versions of a label map; see `Sampler`.
 *
 * @param labels one integer class per voxel, i fastest; not modified
 * @throws InputError for labels that do not fit the grid, σ or ℓ that are not positive, q that is no probability, or
 * more than 65,536 different labels
 * @example
 * const labels = Uint8Array.from({ length: 4096 }, (_, i) => (i % 16 < 8 ? 1 : 0))
 * const sampler = createSampler(labels, createGrid([16, 16, 16]), { sigmaMm: [4, 4, 4], lengthMm: 12 })
 * sampler.sample(streamSeed(0, 'liver_012'), 0).length // 4096
 */
export function createSampler<A extends LabelArray>(labels: A, grid: Grid, noise: NoiseModel): Sampler<A> {
  checkLabelArray(labels, grid)
  checkNoiseModel(noise)
  return isPlain(noise) ? new FieldSampler(labels, grid, noise) : new AnnotatorSampler(labels, grid, noise)
}

/**
 * Annotators who also leave labels out and draw outlines wide or tight: each sample has its own reference, the map with
 * its outline moved by that annotator's bias and without the labels that the annotator leaves out.
 */
class AnnotatorSampler<A extends LabelArray> implements Sampler<A> {
  readonly box: Box | undefined
  readonly #labels: A
  readonly #grid: Grid
  readonly #noise: NoiseModel
  readonly #outline: Outline | undefined
  /** Where every annotator has the same bias: samples of the map so moved. */
  readonly #fixed: FieldSampler<A> | undefined
  readonly #foreground: readonly number[]
  readonly #draw: { readonly presence: number; readonly biasMm: number; readonly biasSdMm: number }

  constructor(labels: A, grid: Grid, noise: NoiseModel) {
    const { presence = 1, biasMm = 0, biasSdMm = 0, ...field } = noise
    this.#labels = labels
    this.#grid = grid
    this.#noise = field
    const reachMm = biasReachMm(noise)
    const outline = outlineOf(labels, grid, reachMm)
    if (biasSdMm > 0) this.#outline = outline
    else this.#fixed = new FieldSampler(outline ? movedOutline(labels, grid, outline, biasMm) : labels, grid, field)
    this.#foreground = presence < 1 ? [...new Set<number>(labels)].filter((label) => label !== 0) : []
    this.#draw = { presence, biasMm, biasSdMm }
    const changing = boxOf(labels, grid.shape, 0)
    const reach = vec3((axis) => Math.floor((reachMm + maxSigmas * noise.sigmaMm[axis]) / grid.spacing[axis] + 0.5) + 1)
    this.box = changing && growBox(changing, reach, grid)
  }

  sample(seed: number, index: number, out?: A): A {
    if (out) checkOut(out, this.#labels)
    const own = this.#fixed ?? this.#biased(seed, index)
    const sample = own.sample(seed, index, out)
    this.#leaveOut(sample, seed, index)
    return sample
  }

  sampleBox(seed: number, index: number): A {
    if (!this.box) return this.#labels.slice(0, 0) as A
    return cropLabels(this.sample(seed, index), this.#grid.shape, this.box)
  }

  #biased(seed: number, index: number): FieldSampler<A> {
    const biasMm = randomStream('bias', seed, index).normal(this.#draw.biasMm, this.#draw.biasSdMm)
    const labels = this.#outline ? movedOutline(this.#labels, this.#grid, this.#outline, biasMm) : this.#labels
    return new FieldSampler(labels, this.#grid, this.#noise)
  }

  /** Makes background of the labels that annotator `index` leaves out. */
  #leaveOut(sample: A, seed: number, index: number): void {
    const { presence } = this.#draw
    const absent = new Set(
      this.#foreground.filter((label) => randomStream('presence', seed, index, label).uniform() >= presence),
    )
    if (absent.size === 0) return
    for (let i = 0; i < sample.length; i++) if (sample[i] !== 0 && absent.has(sample[i])) sample[i] = 0
  }
}
