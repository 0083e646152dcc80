import { mkdir, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { DiceHistogram } from '../decision/dice-histogram.ts'
import { softDiceOptimum } from '../decision/soft-dice.ts'
import { writeAtomically } from '../formats/atomic-write.ts'
import { planDigest } from '../network/checkpoint.ts'
import type { Device } from '../network/graph/tensor.ts'
import { exportModel } from '../network/model.ts'
import { createSession, type Session } from '../network/runtime/session.ts'
import { type EpochLog, type TrainingPlan, trainNetwork, type Validation } from '../network/train.ts'
import type { UNetPlan } from '../network/unet.ts'
import { RunError } from '../volume/errors.ts'
import { diceOfCut } from './hold-out.ts'
import { encodeModelFile, type ModelMetadata, type OutputSpec } from './model-file.ts'
import type { PreparedCase } from './patch.ts'
import { predictPrepared } from './predict.ts'
import { openRunFolder } from './run-folder.ts'
import { describeImages } from './trained-images.ts'
import {
  checkMemory,
  choosePatch,
  fillBatch,
  fingerprint,
  foregroundShares,
  outOfMemory,
  prepareCases,
} from './training-cases.ts'
import type { CaseSource, TrainingConfig } from './training-config.ts'

export interface TrainingRun {
  /** Where log, checkpoint and `model.onnx` are written. */
  readonly folder: string
  /** Cases that are not trained on, for the curve in the log. All are checked before the first step. */
  readonly validation?: readonly CaseSource[]
  readonly device?: Device
  readonly threads?: number
  /** Before the first step: so many of all cases that have to be read are read. */
  readonly onCase?: (read: number, of: number) => void
  readonly onEpoch?: (epoch: EpochLog) => void
  readonly onStep?: (step: number) => void
  readonly signal?: AbortSignal
  /** Goes into the model's metadata. */
  readonly dataset?: string
  /** What the input channels show; goes into the model's metadata. */
  readonly channelNames?: readonly string[]
}

export interface TrainingResult {
  /** Path of the model. */
  readonly model: string
  readonly epochs: readonly EpochLog[]
  readonly metadata: ModelMetadata
}

/** Validation in every epoch looks at so many cases at most; it only draws a curve. */
export const MAX_CURVE_CASES = 12

/**
 * Trains one network on cases and writes it as `model.onnx` in the run's folder, beside `log.jsonl`. A run that was
 * stopped goes on from its checkpoint when called again with the same cases and configuration, and ends in the same
 * model as one that was not stopped, for the same number of threads.
 *
 * @throws InputError for cases that do not fit together; RunError where training diverges
 *
 * @example
 * const outputs = [{ name: 'liver', labels: [1] }]
 * const { model } = await trainSegmentation({ ...DEFAULT_TRAINING, outputs, modality: 'ct' }, cases, { folder: 'run' })
 */
export async function trainSegmentation(
  config: TrainingConfig,
  cases: readonly CaseSource[],
  run: TrainingRun,
): Promise<TrainingResult> {
  const { folder, validation = [], device, threads, onCase, onEpoch, onStep, signal, dataset, channelNames } = run
  const watch = { ...(onCase && { onCase }), ...(signal && { signal }) }
  const read = await prepareCases(config, cases, validation, MAX_CURVE_CASES, watch)
  const { training: prepared, curve, preprocessing, channels, ids, grids } = read
  const unet: UNetPlan = {
    dimensions: config.dimensions,
    inputChannels: channels,
    outputs: config.outputs.length,
    channels: config.channels,
    convolutions: config.convolutions,
    down: config.down,
    up: config.up,
  }
  const patch = choosePatch(config, unet, prepared)
  checkMemory(unet, config.batch, patch)
  const plan: TrainingPlan = {
    unet,
    batch: config.batch,
    patch: config.dimensions === 2 ? [patch[1], patch[0]] : [patch[2], patch[1], patch[0]],
    loss: config.loss,
    optimiser: config.optimiser,
    steps: config.steps,
    stepsPerEpoch: config.stepsPerEpoch,
    seed: config.seed,
    priors: foregroundShares(prepared, config.outputs.length, patch),
  }
  const runtime = { ...(device && { device }), ...(threads && { threads }) }
  const digest = planDigest(plan, fingerprint(config, prepared))
  const { parameters, epochs, removeCheckpoint } = await inFolder(folder, async () => {
    const { found, save, removeCheckpoint } = await openRunFolder(folder, digest)
    const trained = await trainNetwork(plan, {
      ...runtime,
      fill: (step, image, target) => fillBatch(prepared, patch, config, step, image, target),
      ...(curve.length > 0 && { validate: (session: Session) => validate(session, curve, patch, config.outputs) }),
      ...(onEpoch && { onEpoch }),
      ...(onStep && { onStep }),
      ...(signal && { signal }),
      ...(found && { from: found }),
      onCheckpoint: save,
    })
    return { ...trained, removeCheckpoint }
  })
  const described: ModelMetadata = {
    format: 1,
    unet,
    patch,
    outputs: config.outputs,
    preprocessing,
    images: describeImages(
      grids,
      // A file of several channels has one name in nnU-Net's index.
      channelNames?.length === unet.inputChannels ? channelNames : undefined,
    ),
    loss: config.loss,
    training: {
      ...(dataset && { dataset }),
      cases: ids,
      steps: config.steps,
      batch: config.batch,
      seed: config.seed,
      optimiser: config.optimiser,
      augmentation: config.augmentation,
    },
  }
  const session = await createSession(exportModel(unet, parameters, {}), runtime)
  const thresholds = await datasetThresholds(session, prepared, described)
  await session.dispose()
  const metadata = { ...described, thresholds }
  const model = join(folder, 'model.onnx')
  await writeAtomically(model, [encodeModelFile(parameters, metadata)])
  await removeCheckpoint()
  return { model, epochs, metadata }
}

/** Trains in a folder. What was made for it and stayed empty, because a device or memory was missing, goes again. */
async function inFolder<T>(folder: string, train: () => Promise<T>): Promise<T> {
  const made = await mkdir(resolve(folder), { recursive: true })
  try {
    return await train()
  } catch (error) {
    try {
      for (let at = resolve(folder); made !== undefined && at.startsWith(made); at = dirname(at)) await rmdir(at)
    } catch {
      // It holds a checkpoint or a log: that is kept.
    }
    // Arrays of ours that are larger than the engine makes them.
    throw error instanceof RangeError && /length|allocation/i.test(error.message) ? outOfMemory() : error
  }
}

/** Mean Dice over cases on the network's grid; a case without the label and without a mask counts 1. */
async function validate(
  session: Session,
  cases: readonly PreparedCase[],
  patch: ModelMetadata['patch'],
  outputs: readonly OutputSpec[],
): Promise<Validation> {
  const atHalf = new Float64Array(outputs.length)
  const atOptimum = new Float64Array(outputs.length)
  for (const { image, bits } of cases) {
    const maps = finite(await predictPrepared(session, { patch, outputs }, image))
    const voxels = bits.length
    for (let k = 0; k < outputs.length; k++) {
      const map = maps.subarray(k * voxels, (k + 1) * voxels)
      atHalf[k] += diceOfCut(map, bits, k, 0.5)
      atOptimum[k] += diceOfCut(map, bits, k, softDiceOptimum(map).threshold)
    }
  }
  const mean = (sums: Float64Array) => [...sums].map((sum) => Number((sum / cases.length).toFixed(5)))
  return { validationDice: mean(atHalf), validationDiceAtCaseThreshold: mean(atOptimum) }
}

/** A network may diverge in its last step, after its loss was seen. */
function finite(maps: Float32Array): Float32Array {
  if (!maps.every(Number.isFinite)) {
    throw new RunError('training', 'the network predicts NaN: it has diverged; lower the learning rate')
  }
  return maps
}

/** Maps of so many bytes are kept for the second pass; the others are predicted again. */
export const MOST_KEPT_BYTES = 500e6

/** The data-set threshold t* of each output, from the predictions on the training cases: no label is used. */
async function datasetThresholds(
  session: Session,
  cases: readonly PreparedCase[],
  metadata: Pick<ModelMetadata, 'patch' | 'outputs'>,
): Promise<number[]> {
  const kept = new Map<PreparedCase, Float32Array>()
  let left = MOST_KEPT_BYTES
  const pass = async (sinks: readonly { add(chunk: Float32Array): void }[]) => {
    for (const one of cases) {
      const maps = kept.get(one) ?? finite(await predictPrepared(session, metadata, one.image))
      if (!kept.has(one) && maps.byteLength <= left) {
        kept.set(one, maps)
        left -= maps.byteLength
      }
      const voxels = maps.length / sinks.length
      for (const [k, sink] of sinks.entries()) sink.add(maps.subarray(k * voxels, (k + 1) * voxels))
    }
  }
  const first = metadata.outputs.map(() => new DiceHistogram())
  await pass(first)
  const second = first.map((histogram) => histogram.refine())
  await pass(second)
  return second.map((refinement) => refinement.optimum().threshold)
}
