import { createHash } from 'node:crypto'
import { totalmem } from 'node:os'
import { randomStream } from '../datasets/phantom/random.ts'
import { drawSample } from '../datasets/training/augment.ts'
import type { PreparedCase } from '../datasets/training/patch.ts'
import {
  checkIntensities,
  fitWindow,
  type Intensity,
  labelBits,
  median,
  type Preprocessing,
  prepareImage,
  prepareLabels,
  sampleInside,
} from '../datasets/training/preprocess.ts'
import { countParameters, listParameters } from '../network/parameters.ts'
import { sizeMultiple, type UNetPlan } from '../network/unet.ts'
import { InputError } from '../volume/errors.ts'
import { gridDifference } from '../volume/grid.ts'
import { labelMapOf } from '../volume/labels.ts'
import type { TrainingCase, TrainingConfig } from './training-config.ts'

/** A patch of 64³ voxels fits two cores and 2 GB. */
const MAX_PATCH_VOXELS = 64 ** 3

/** Voxels of at most so many are kept to centre patches on. */
const MAX_ANCHORS = 20_000

/**
 * Checks all that can be wrong with cases before the first step: what is held out is read at the end of an epoch, or of
 * the whole training.
 *
 * @throws InputError where there is no case to train on, one does not suit the others, or nobody has an output's labels
 */
export function checkCases(
  { outputs, dimensions }: TrainingConfig,
  cases: readonly TrainingCase[],
  heldOut: readonly TrainingCase[] = [],
): void {
  if (cases.length === 0) throw new InputError('training set', 'is empty; give at least one case')
  if (outputs.length === 0 || outputs.length > 31) {
    throw new InputError('outputs', `${outputs.length} given; 1 to 31 can be trained`)
  }
  const found = new Set<number>()
  for (const one of cases) for (const label of checkCase(one, cases[0], dimensions)) found.add(label)
  for (const one of heldOut) checkCase(one, cases[0], dimensions)
  for (const { name, labels } of outputs) {
    if (labels.some((label) => found.has(label))) continue
    const values = `label ${labels.join(' or ')}`
    throw new InputError(name, `no training case holds ${values}; leave this output out, or check the label maps`)
  }
}

/** Returns the labels that occur in the case. */
function checkCase({ id, image, label }: TrainingCase, first: TrainingCase, dimensions: 2 | 3): readonly number[] {
  if (image.channels !== first.image.channels) {
    const fault = `has ${image.channels} channels, ${first.id} has ${first.image.channels}; all cases must have the same`
    throw new InputError(id, fault)
  }
  const difference = gridDifference(image.grid, label.grid)
  if (difference !== undefined) {
    throw new InputError(id, `its label map lies on another grid than its image (${difference}); resample one of them`)
  }
  if (dimensions === 3 && image.grid.shape[2] === 1) {
    throw new InputError(id, 'is a single slice; train a 2-D network on it')
  }
  checkIntensities(image, id)
  return labelMapOf(label, id).labels
}

/** What the preprocessing takes from the training cases: for CT, the window of intensities in the organs. */
export function fitPreprocessing(config: TrainingConfig, cases: readonly TrainingCase[]): Preprocessing {
  const intensities = Array.from({ length: cases[0].image.channels }, (_, channel): Intensity => {
    if (config.modality === 'mr') return { kind: 'z-score' }
    const samples = cases.map((one) => sampleInside(one.image, channel, bitsOf(one, config), 10_000))
    const joined = new Float32Array(samples.reduce((n, s) => n + s.length, 0))
    let at = 0
    for (const s of samples) {
      joined.set(s, at)
      at += s.length
    }
    return fitWindow(joined)
  })
  return { crop: config.crop, spacingMm: config.spacingMm ?? [null, null, null], intensities }
}

/** Brings a case to the network's grid. */
export function prepareCase(one: TrainingCase, config: TrainingConfig, preprocessing: Preprocessing): PreparedCase {
  const image = prepareImage(one.image, preprocessing, one.id)
  const bits = prepareLabels(bitsOf(one, config), image.placement)
  let count = 0
  for (const b of bits) if (b !== 0) count++
  const stride = Math.max(1, Math.ceil(count / MAX_ANCHORS))
  const foreground = new Int32Array(Math.floor(count / stride))
  for (let i = 0, seen = 0, at = 0; i < bits.length && at < foreground.length; i++) {
    if (bits[i] !== 0 && seen++ % stride === 0) foreground[at++] = i
  }
  return { id: one.id, image, bits, foreground }
}

/** The patch along (i, j, k): what was asked for or the median image, rounded up to a size that the net can halve. */
export function choosePatch(
  config: TrainingConfig,
  unet: UNetPlan,
  prepared: readonly PreparedCase[],
): [number, number, number] {
  const multiple = sizeMultiple(unet)
  const axes = config.dimensions
  const up = (n: number) => Math.max(multiple, Math.ceil(n / multiple) * multiple)
  const given = config.patch
  if (given !== undefined && given.length !== axes && given.length !== 3) {
    throw new InputError('patch', `has ${given.length} sizes; give ${axes}`)
  }
  const sizes = [0, 1, 2].map((axis) => {
    if (axis >= axes) return 1
    return up(given?.[axis] ?? median(prepared.map(({ image }) => image.placement.size[axis])))
  })
  // Prediction tells a 2-D network by its depth of 1.
  if (axes === 3 && sizes[2] === 1) {
    throw new InputError('patch', 'is a single slice of a 3-D network; make it deeper, or train a 2-D network')
  }
  while (given === undefined && sizes[0] * sizes[1] * sizes[2] > MAX_PATCH_VOXELS) {
    const largest = Math.max(...sizes)
    if (largest === multiple) {
      const least = new Array(axes).fill(multiple).join('×')
      const fault = `${unet.channels.length} levels need a patch of at least ${least} voxels, more than is taken by itself`
      throw new InputError('channels', `${fault}; give fewer levels, or the patch`)
    }
    sizes[sizes.indexOf(largest)] -= multiple
  }
  return [sizes[0], sizes[1], sizes[2]]
}

/**
 * Refuses what cannot fit in any case, before memory is asked for: the state of the optimiser (parameters and two
 * moments, before and after a step) and one batch with the maps of the first convolution, float32.
 *
 * @throws InputError where the machine has less
 */
export function checkMemory(unet: UNetPlan, batch: number, patch: readonly number[]): void {
  const state = 6 * countParameters(listParameters(unet))
  const maps = batch * patch.reduce((p, n) => p * n, 1) * (unet.inputChannels + unet.outputs + unet.channels[0])
  if (4 * (state + maps) > totalmem()) throw outOfMemory()
}

/** As ONNX Runtime's lack of memory is told. */
export function outOfMemory(): InputError {
  return new InputError('memory', 'not enough for this network; use a smaller patch, batch or number of channels')
}

/** Mean share of each output in the voxels that the net will see (images padded to the patch). */
export function foregroundShares(
  prepared: readonly PreparedCase[],
  outputs: number,
  patch: readonly number[],
): number[] {
  const counts = new Float64Array(outputs)
  let voxels = 0
  for (const { bits, image } of prepared) {
    voxels += image.placement.size.reduce((p, n, axis) => p * Math.max(n, patch[axis]), 1)
    for (const b of bits) if (b !== 0) for (let k = 0; k < outputs; k++) counts[k] += (b >>> k) & 1
  }
  return [...counts].map((count) => count / voxels)
}

/** The batch of a step: cases in an order shuffled anew in every pass, each sample with its own random stream. */
export function fillBatch(
  prepared: readonly PreparedCase[],
  patch: readonly [number, number, number],
  { batch, seed, augmentation }: TrainingConfig,
  step: number,
  image: Float32Array,
  target: Float32Array,
): void {
  for (let i = 0; i < batch; i++) {
    const sample = step * batch + i
    const source = prepared[shuffledIndex(prepared.length, sample, seed)]
    const part = (array: Float32Array) => array.subarray((i * array.length) / batch, ((i + 1) * array.length) / batch)
    drawSample(source, patch, augmentation, randomStream(seed, 'sample', sample), part(image), part(target))
  }
}

/** A digest of all that a checkpoint's continuation depends on. */
export function fingerprint(config: TrainingConfig, prepared: readonly PreparedCase[]): string {
  const hash = createHash('sha256').update(JSON.stringify(config))
  for (const { id, image, bits } of prepared) {
    hash.update(id)
    for (const { buffer, byteOffset, byteLength } of [image.data, bits]) {
      hash.update(Buffer.from(buffer, byteOffset, byteLength))
    }
  }
  return hash.digest('hex')
}

/** Element `sample` of the endless sequence of shuffled passes over n cases. */
function shuffledIndex(n: number, sample: number, seed: number): number {
  const random = randomStream(seed, 'pass', Math.floor(sample / n))
  const order = Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1))
    const [a, b] = [order[i], order[j]]
    order[i] = b
    order[j] = a
  }
  return order[sample % n]
}

function bitsOf({ label, id }: TrainingCase, { outputs }: TrainingConfig): Uint32Array {
  return labelBits(
    labelMapOf(label, id).values,
    outputs.map(({ labels }) => labels),
  )
}
