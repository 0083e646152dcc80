import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ignoreName } from '../datasets/dataset-json.ts'
import { patientFolds } from '../datasets/folds.ts'
import { joinChannels } from '../datasets/join-channels.ts'
import { type NnunetCase, type NnunetDataset, readNnunetDataset, refuseIgnored } from '../datasets/nnunet.ts'
import { readVolume } from '../formats/volume-file.ts'
import type { LossPlan } from '../network/losses.ts'
import { requireRuntime } from '../network/runtime/locate.ts'
import type { EpochLog } from '../network/train.ts'
import { InputError } from '../volume/errors.ts'
import { type HeldOutScore, scoreModel } from './hold-out.ts'
import type { OutputSpec } from './model-file.ts'
import { type TrainingRun, trainSegmentation } from './train.ts'
import type { TrainingCase, TrainingConfig } from './training-config.ts'
import { completeTraining, type TrainingChoices } from './training-defaults.ts'

export interface DatasetTrainingOptions
  extends Pick<TrainingRun, 'device' | 'threads' | 'onCase' | 'onEpoch' | 'onStep' | 'signal'> {
  /** Labels to learn; `A+B` is their union. Default: every label. */
  readonly outputs?: readonly string[]
  readonly choices: TrainingChoices
  readonly loss: LossPlan
  readonly seed: number
  /** Parts into which patients are split, and the one that is held out; undefined trains on all. */
  readonly folds: number
  readonly fold?: number
  /** Called before the first case is read. */
  readonly onConfig?: (config: TrainingConfig) => void
}

export interface DatasetTraining {
  /** Path of the model. */
  readonly model: string
  readonly epochs: readonly EpochLog[]
  readonly trainingCases: number
  readonly validationCases: number
  /** Each output's data-set threshold t*, and its scores on the cases held out. */
  readonly outputs: readonly ({ readonly name: string; readonly threshold?: number } & Partial<HeldOutScore>)[]
}

/**
 * Trains one network on a data set in nnU-Net's raw layout, into the folder `output`, and scores it on the part of the
 * patients that was held out.
 *
 * @throws InputError for data or choices that do not suit, and where `output` holds a finished model
 */
export async function trainDataset(
  folder: string,
  output: string,
  options: DatasetTrainingOptions,
): Promise<DatasetTraining> {
  const finished = join(output, 'model.onnx')
  if (existsSync(finished)) throw new InputError(finished, 'exists already; give another output folder or delete it')
  requireRuntime()
  const dataset = await readNnunetDataset(folder)
  const config = configOf(options, dataset)
  const { training, validation } = split(dataset, options)
  options.onConfig?.(config)
  const { device, threads, onCase, onEpoch, onStep, signal } = options
  const runtime = { ...(device && { device }), ...(threads && { threads }) }
  const { epochs, metadata, model } = await trainSegmentation(config, training, {
    ...runtime,
    folder: output,
    validation,
    dataset: dataset.name,
    channelNames: dataset.channelNames,
    ...(onCase && { onCase }),
    ...(onEpoch && { onEpoch }),
    ...(onStep && { onStep }),
    ...(signal && { signal }),
  })
  const scores = validation.length === 0 ? [] : await scoreModel(model, validation, runtime)
  const outputs = config.outputs.map(({ name }, k) => {
    const threshold = metadata.thresholds?.[k]
    return { name, ...(threshold !== undefined && { threshold }), ...scores[k] }
  })
  return { model, epochs, trainingCases: training.length, validationCases: validation.length, outputs }
}

function split({ cases, ignore }: NnunetDataset, { folds, fold, seed }: DatasetTrainingOptions) {
  const patients = cases.map(({ patient }) => patient)
  const distinct = new Set(patients).size
  if (fold !== undefined && distinct < folds) {
    const remedy = 'give fewer, or --fold none to train on all'
    throw new InputError('--folds', `${distinct} patients cannot be split into ${folds} folds; ${remedy}`)
  }
  const parts = fold === undefined ? patients.map(() => -1) : patientFolds(patients, folds, seed)
  const sources = cases.map((one) => () => load(one, ignore))
  return {
    training: sources.filter((_, i) => fold === undefined || parts[i] !== fold),
    validation: sources.filter((_, i) => fold !== undefined && parts[i] === fold),
  }
}

function configOf(
  { outputs, choices, loss, seed }: DatasetTrainingOptions,
  { labels, channelNames }: NnunetDataset,
): TrainingConfig {
  const isCt = channelNames.every((name) => /^ct$/i.test(name.trim()))
  return {
    ...completeTraining({ modality: isCt ? 'ct' : 'mr', ...choices }),
    outputs: outputsOf(outputs ?? [...labels.keys()], labels),
    loss,
    seed,
  }
}

function outputsOf(names: readonly string[], labels: ReadonlyMap<string, readonly number[]>): OutputSpec[] {
  return names.map((name) => {
    const values = name.split('+').flatMap((part) => {
      if (part === ignoreName) {
        throw new InputError('--outputs', `'${part}' marks voxels without a label; name structures`)
      }
      const found = labels.get(part)
      if (found !== undefined) return found
      const known = [...labels.keys()].join(', ')
      throw new InputError('--outputs', `'${part}' is no label of this data set; it has ${known}`)
    })
    return { name, labels: [...new Set(values)] }
  })
}

async function load({ id, images, label: path }: NnunetCase, ignore: number | undefined): Promise<TrainingCase> {
  const volumes = await Promise.all(images.map(readVolume))
  const label = await readVolume(path)
  refuseIgnored(label, ignore, path)
  return { id, image: joinChannels(volumes, images), label }
}
