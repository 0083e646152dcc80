import { createHash } from 'node:crypto'
import { mkdir, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { writeAtomically } from '../formats/atomic-write.ts'
import { planDigest } from '../network/checkpoint.ts'
import type { Device } from '../network/graph/tensor.ts'
import { exportModel } from '../network/model.ts'
import { createSession, type Session } from '../network/runtime/session.ts'
import { type EpochLog, type TrainingPlan, trainNetwork } from '../network/train.ts'
import type { UNetPlan } from '../network/unet.ts'
import { fillBatch } from './batches.ts'
import { datasetThresholds } from './dataset-thresholds.ts'
import { encodeModelFile, type ModelMetadata } from './model-file.ts'
import type { PreparedCase } from './patch.ts'
import { checkMemory, choosePatch, outOfMemory } from './patch-size.ts'
import { prepareCases } from './prepare-cases.ts'
import { openRunFolder } from './run-folder.ts'
import { describeImages } from './trained-images.ts'
import type { CaseSource, TrainingConfig } from './training-config.ts'
import { validate } from './validate.ts'

export interface TrainingRun {
  /** Where log, checkpoint and `model.onnx` are written. */
  readonly folder: string
  /** Cases that are not trained on, for the curve in the log. All are checked before the first step. */
  readonly validation?: readonly CaseSource[]
  readonly device?: Device
  readonly threads?: number
  /** So many threads may compute steps on the CPU, as far as that changes no byte of the model. */
  readonly spareThreads?: number
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
export const mostCurveCases = 12

/**
 * Trains one network on cases and writes it as `model.onnx` in the run's folder, beside `log.jsonl`. A run that was
 * stopped goes on from its checkpoint when called again with the same cases and configuration, and ends in the same
 * model as one that was not stopped, for the same number of threads.
 *
 * @throws InputError for cases that do not fit together; RunError where training diverges
 *
 * @example
 * const { image, labels } = phantomCase(0, 0, { shape: [24, 20, 8], spacing: [12, 12, 24] })
 * const network = completeTraining({ dimensions: 2, modality: 'ct', steps: 2, channels: [4, 8] })
 * const config = { ...defaultTraining, ...network, outputs: [{ name: 'liver', labels: [1] }] }
 * const { model } = await trainSegmentation(config, [{ id: 'phantom', image, label: labels }], { folder: 'run' })
 * model // 'run/model.onnx'
 */
export async function trainSegmentation(
  config: TrainingConfig,
  cases: readonly CaseSource[],
  run: TrainingRun,
): Promise<TrainingResult> {
  const {
    folder,
    validation = [],
    device,
    threads,
    spareThreads,
    onCase,
    onEpoch,
    onStep,
    signal,
    dataset,
    channelNames,
  } = run
  const watch = { ...(onCase && { onCase }), ...(signal && { signal }) }
  const read = await prepareCases(config, cases, validation, mostCurveCases, watch)
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
      ...(spareThreads && { spareThreads }),
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
      // nnU-Net's index has one name for a file of several channels.
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

/**
 * Trains in a folder. Folders that were made for it and stayed empty, because a device or memory was missing, are
 * removed again.
 */
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
    // An array that is larger than JavaScript allows.
    throw error instanceof RangeError && /length|allocation/i.test(error.message) ? outOfMemory() : error
  }
}

/** Mean share of each output in the voxels that the net will see (images padded to the patch). */
function foregroundShares(prepared: readonly PreparedCase[], outputs: number, patch: readonly number[]): number[] {
  const counts = new Float64Array(outputs)
  let voxels = 0
  for (const { bits, image } of prepared) {
    voxels += image.placement.size.reduce((p, n, axis) => p * Math.max(n, patch[axis]), 1)
    for (const b of bits) if (b !== 0) for (let k = 0; k < outputs; k++) counts[k] += (b >>> k) & 1
  }
  return [...counts].map((count) => count / voxels)
}

/** A digest of all that a checkpoint's continuation depends on. */
function fingerprint(config: TrainingConfig, prepared: readonly PreparedCase[]): string {
  const hash = createHash('sha256').update(JSON.stringify(config))
  for (const { id, image, bits } of prepared) {
    hash.update(id)
    for (const { buffer, byteOffset, byteLength } of [image.data, bits]) {
      hash.update(Buffer.from(buffer, byteOffset, byteLength))
    }
  }
  return hash.digest('hex')
}
