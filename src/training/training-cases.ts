import { createHash } from 'node:crypto'
import { totalmem } from 'node:os'
import { countParameters, listParameters } from '../network/parameters.ts'
import { sizeMultiple, type UNetPlan } from '../network/unet.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, gridDifference } from '../volume/grid.ts'
import { labelMapOf } from '../volume/labels.ts'
import { randomStream } from '../volume/random.ts'
import { drawSample } from './augment.ts'
import type { PreparedCase } from './patch.ts'
import {
  checkIntensities,
  fitWindow,
  type Intensity,
  type LabelBits,
  labelBits,
  median,
  type Preprocessing,
  prepareImage,
  prepareLabels,
  sampleInside,
} from './preprocess.ts'
import { type CaseSource, readCase, type TrainingCase, type TrainingConfig } from './training-config.ts'

/** A patch of 64³ voxels fits two cores and 2 GB. */
const MAX_PATCH_VOXELS = 64 ** 3

/** Voxels of at most so many are kept to centre patches on. */
const MAX_ANCHORS = 20_000

/** All that training needs of its cases, on the network's grid. */
export interface PreparedCases {
  readonly training: readonly PreparedCase[]
  /** The first held-out cases, for the log's curve. */
  readonly curve: readonly PreparedCase[]
  readonly preprocessing: Preprocessing
  readonly channels: number
  /** Names and grids of the training images as they were read. */
  readonly ids: readonly string[]
  readonly grids: readonly Grid[]
}

/**
 * Reads the cases, one at a time, and checks all that can be wrong with them before the first step: what is held out is
 * otherwise read at the end of an epoch, or of the whole training. Training cases are read twice where the preprocessing
 * depends on all of them (CT: the window of intensities in the organs).
 *
 * @param curveCases of the held-out cases, so many are prepared
 * @throws InputError where there is no case to train on, one does not suit the others, or nobody has an output's labels
 */
export async function prepareCases(
  config: TrainingConfig,
  cases: readonly CaseSource[],
  heldOut: readonly CaseSource[],
  curveCases: number,
  { onCase, signal }: { readonly onCase?: (read: number, of: number) => void; readonly signal?: AbortSignal } = {},
): Promise<PreparedCases> {
  const { outputs, dimensions, modality } = config
  if (cases.length === 0) throw new InputError('training set', 'is empty; give at least one case')
  if (outputs.length === 0 || outputs.length > 31) {
    throw new InputError('outputs', `${outputs.length} given; 1 to 31 can be trained`)
  }
  const reads = cases.length * (modality === 'ct' ? 2 : 1) + heldOut.length
  let read = 0
  const next = async (source: CaseSource) => {
    signal?.throwIfAborted()
    const one = await readCase(source)
    onCase?.(++read, reads)
    return one
  }
  const [ids, grids, training, curve]: [string[], Grid[], PreparedCase[], PreparedCase[]] = [[], [], [], []]
  const found = new Set<number>()
  let first: FirstCase | undefined
  const samples: Float32Array[][] = []
  for (const source of cases) {
    const one = await next(source)
    first ??= { id: one.id, channels: one.image.channels }
    for (const label of checkCase(one, first, dimensions)) found.add(label)
    ids.push(one.id)
    grids.push(one.image.grid)
    if (modality === 'mr') training.push(prepareCase(one, config, preprocessingOf(config, first.channels, samples)))
    else samples.push(samplesOf(one, config))
  }
  const { channels } = first as FirstCase
  for (const { name, labels } of outputs) {
    if (labels.some((label) => found.has(label))) continue
    const values = `label ${labels.join(' or ')}`
    throw new InputError(name, `no training case holds ${values}; leave this output out, or check the label maps`)
  }
  const preprocessing = preprocessingOf(config, channels, samples)
  for (const source of heldOut) {
    const one = await next(source)
    checkCase(one, first as FirstCase, dimensions)
    if (curve.length < curveCases) curve.push(prepareCase(one, config, preprocessing))
  }
  if (modality === 'ct') {
    for (const source of cases) training.push(prepareCase(await next(source), config, preprocessing))
  }
  return { training, curve, preprocessing, channels, ids, grids }
}

/** What all other cases must be like. */
interface FirstCase {
  readonly id: string
  readonly channels: number
}

/** Returns the labels that occur in the case. */
function checkCase({ id, image, label }: TrainingCase, first: FirstCase, dimensions: 2 | 3): readonly number[] {
  if (image.channels !== first.channels) {
    const fault = `has ${image.channels} channels, ${first.id} has ${first.channels}; all cases must have the same`
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

/** For CT, intensities in the case's organs, an array a channel. */
function samplesOf(one: TrainingCase, config: TrainingConfig): Float32Array[] {
  const bits = bitsOf(one, config)
  return Array.from({ length: one.image.channels }, (_, channel) => sampleInside(one.image, channel, bits, 10_000))
}

/** @param samples of all training cases, for CT: an array a case and channel */
function preprocessingOf(
  { modality, crop, spacingMm }: TrainingConfig,
  channels: number,
  samples: readonly (readonly Float32Array[])[],
): Preprocessing {
  const intensities = Array.from({ length: channels }, (_, channel): Intensity => {
    if (modality === 'mr') return { kind: 'z-score' }
    return fitWindow(joined(samples.map((ofCase) => ofCase[channel])))
  })
  return { crop, spacingMm: spacingMm ?? [null, null, null], intensities }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}

/** Brings a case to the network's grid. */
function prepareCase(one: TrainingCase, config: TrainingConfig, preprocessing: Preprocessing): PreparedCase {
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

function bitsOf({ label, id }: TrainingCase, { outputs }: TrainingConfig): LabelBits {
  return labelBits(
    labelMapOf(label, id).values,
    outputs.map(({ labels }) => labels),
  )
}
