import { InputError } from '../volume/errors.ts'
import { type Grid, gridDifference } from '../volume/grid.ts'
import { labelMapOf } from '../volume/labels.ts'
import { checkIntensities, fitWindow, type Intensity, sampleInside } from './intensity.ts'
import { type LabelBits, labelBits } from './label-bits.ts'
import type { PreparedCase } from './patch.ts'
import { type Preprocessing, prepareImage, prepareLabels } from './preprocess.ts'
import { type CaseSource, readCase, type TrainingCase, type TrainingConfig } from './training-config.ts'

/** Voxels of at most so many are kept to centre patches on. */
const mostAnchors = 20_000

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
 * Reads the cases, one at a time, and checks all of them, held-out ones too, before the first step: a bad held-out
 * case would otherwise be found only after an epoch, or after the whole training. Training cases are read twice where
 * the preprocessing depends on all of them (CT: the window of intensities in the organs).
 *
 * @param curveCases of the held-out cases, so many are prepared
 * @throws InputError where there is no case to train on, one does not suit the others, or no case holds an output's
 * labels
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
  checkIntensities(image, () => id)
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
  const stride = Math.max(1, Math.ceil(count / mostAnchors))
  const foreground = new Int32Array(Math.floor(count / stride))
  for (let i = 0, seen = 0, at = 0; i < bits.length && at < foreground.length; i++) {
    if (bits[i] !== 0 && seen++ % stride === 0) foreground[at++] = i
  }
  return { id: one.id, image, bits, foreground }
}

function bitsOf({ label, id }: TrainingCase, { outputs }: TrainingConfig): LabelBits {
  return labelBits(
    labelMapOf(label, id).values,
    outputs.map(({ labels }) => labels),
  )
}
