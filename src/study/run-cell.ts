import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatasetCase } from '../datasets/dataset.ts'
import { writeAtomically } from '../formats/atomic-write.ts'
import { writeVolume } from '../formats/volume-file.ts'
import { CutTable } from '../metrics/cut-table.ts'
import type { EpochLog } from '../network/train.ts'
import { marginal } from '../noise/marginal.ts'
import { type ModelMetadata, openModel } from '../training/model-file.ts'
import { predictProbability } from '../training/predict.ts'
import { trainSegmentation } from '../training/train.ts'
import type { LabelArray } from '../volume/labels.ts'
import { channelOf, type Volume } from '../volume/volume.ts'
import type { CaseStore } from './case-store.ts'
import { parseLog, readCellFile } from './cell-file.ts'
import type { PredictionSource } from './config.ts'
import { noisyLabels } from './noisy-labels.ts'
import type { Cell, PlannedCase, PredictedWork, TrainingWork } from './plan.ts'
import { readPrediction } from './read-prediction.ts'
import {
  probabilityLosses,
  scoreCalibrated,
  scoreProbabilities,
  scoreSoftDice,
  scoreTheory,
  type TabledCase,
} from './score-case.ts'
import { type Measured, Sheet } from './score-sheet.ts'
import { scoresCsv } from './score-table.ts'
import { type Versions, versionsFile } from './versions.ts'

/** Where a cell finds its cases. */
export interface CellSource {
  readonly cases: readonly DatasetCase[]
  readonly store: CaseStore
  /** Goes into the model files. */
  readonly dataset: string
  /** The folder that predictions' paths are relative to, and how their numbers are read. */
  readonly base: string
  readonly networks?: PredictionSource
  /** What the numbers depend on beside the plan and the data. */
  readonly versions: Versions
}

export interface CellOptions {
  readonly signal?: AbortSignal
  /** Threads that a network's training may take, as far as that changes no byte. */
  readonly spareThreads?: number
}

/**
 * Does a cell's work in a folder: trains (going on where a killed run left its checkpoint), predicts, scores. What the
 * folder holds afterwards depends on the cell, its cases and the versions only: `scores.csv`, `calibration.csv`,
 * `versions.json`, and of a network `model.onnx`, `log.jsonl` and `predictions/`.
 */
export async function runCell(
  cell: Cell,
  folder: string,
  source: CellSource,
  options: CellOptions = {},
): Promise<void> {
  const { signal } = options
  await mkdir(folder, { recursive: true })
  const sheet = new Sheet(cell)
  if (cell.work.kind === 'theory') await scoreForecast(cell, source, sheet, signal)
  else if (cell.work.kind === 'training') await scoreTrained(cell, cell.work, folder, source, sheet, options)
  else await scorePredicted(cell, cell.work, folder, source, sheet, signal)
  await writeFile(join(folder, versionsFile), `${JSON.stringify(source.versions)}\n`)
  await writeFile(join(folder, 'calibration.csv'), sheet.calibrationCsv())
  await writeFile(join(folder, 'scores.csv'), scoresCsv(sheet.rows))
}

interface NoisyCase extends PlannedCase {
  readonly image: Volume
  readonly clean: Volume<LabelArray>
  readonly noisy: Volume<LabelArray>
}

async function load(cell: Cell, one: PlannedCase, { cases, store }: CellSource): Promise<NoisyCase> {
  const found = cases.find(({ id }) => id === one.id)
  if (found === undefined) throw new RangeError(`${one.id} is no case of the data set`)
  const { image, labels } = await store.load(found)
  return { ...one, image, ...noisyLabels(cell, one.id, labels) }
}

async function scoreForecast(cell: Cell, source: CellSource, sheet: Sheet, signal?: AbortSignal): Promise<void> {
  for (const planned of cell.validation) {
    signal?.throwIfAborted()
    const one = await load(cell, planned, source)
    for (const [k, organ] of cell.organs.entries()) {
      const clean = maskOf(one.clean.data, organ.labels)
      const m = marginal(clean, one.clean.grid, 1, cell)
      const noisy = maskOf(one.noisy.data, organ.labels)
      sheet.add(sheet.measure(k, one, 'theory', m, clean, noisy, one.clean.grid), scoreTheory(m, clean, noisy))
    }
  }
}

async function scoreTrained(
  cell: Cell,
  work: TrainingWork,
  folder: string,
  source: CellSource,
  sheet: Sheet,
  options: CellOptions,
): Promise<void> {
  const { signal } = options
  const { thresholds } = await train(cell, work, folder, source, options)
  const model = await openModel(join(folder, 'model.onnx'), { threads: work.threads ?? 1 })
  try {
    const predict = ({ image, id }: NoisyCase) => predictProbability(model, image, id)
    await scoreNetwork(cell, { ...work, predict, thresholds }, folder, source, sheet, signal)
  } finally {
    await model.session.dispose()
  }
}

async function scorePredicted(
  cell: Cell,
  work: PredictedWork,
  folder: string,
  source: CellSource,
  sheet: Sheet,
  signal?: AbortSignal,
): Promise<void> {
  const predict = ({ id, clean }: NoisyCase) => {
    const { path, kind } = work.found[id]
    const found = { input: join(source.base, path), name: id, kind }
    return readPrediction(found, cell.organs, clean.grid, { ...source.networks })
  }
  await scoreNetwork(cell, { ...work, predict }, folder, source, sheet, signal)
}

/** A network by what it gives, wherever it was trained. */
interface Network extends Pick<TrainingWork, 'loss' | 'predictions'> {
  readonly predict: (one: NoisyCase) => Promise<Volume>
  /** t* of the training cases together, an organ each, where they are known. */
  readonly thresholds?: readonly number[] | undefined
}

async function scoreNetwork(
  cell: Cell,
  { loss, predictions, predict, thresholds }: Network,
  folder: string,
  source: CellSource,
  sheet: Sheet,
  signal?: AbortSignal,
): Promise<void> {
  const kept = join(folder, 'predictions')
  await rm(kept, { recursive: true, force: true })
  await mkdir(kept)
  const prefix = loss === 'soft-dice' ? undefined : probabilityLosses[loss]
  const tabled = cell.organs.map(() => [] as (TabledCase & { readonly measured: Measured })[])
  for (const [n, planned] of cell.validation.entries()) {
    signal?.throwIfAborted()
    const one = await load(cell, planned, source)
    const probability = await predict(one)
    if (predictions === 'all' || (predictions === 'examples' && n === 0)) {
      await writeVolume(join(kept, `${one.id}.nii.gz`), { ...probability, header: undefined })
    }
    for (const [k, organ] of cell.organs.entries()) {
      const m = channelOf(probability, k) as Float32Array
      const [clean, noisy] = [one.clean, one.noisy].map(({ data }) => maskOf(data, organ.labels))
      const measured = sheet.measure(k, one, loss, m, clean, noisy, one.clean.grid)
      if (prefix === undefined) {
        sheet.add(measured, scoreSoftDice(m, clean, noisy))
        continue
      }
      sheet.add(measured, scoreProbabilities(prefix, m, clean, noisy, thresholds?.[k]))
      tabled[k].push({ patient: one.patient, noisy: tableOf(m, noisy), clean: tableOf(m, clean), measured })
    }
  }
  if (prefix === undefined) return
  for (const cases of tabled) {
    for (const [i, score] of scoreCalibrated(prefix, cases).entries()) sheet.add(cases[i].measured, [score])
  }
}

function tableOf(m: Float32Array, label: Uint8Array): CutTable {
  const table = new CutTable()
  table.add(m, label, (value) => value === 1)
  return table
}

/** Trains, unless a run that was stopped while predicting has left its model. */
async function train(
  cell: Cell,
  { config, training, threads = 1 }: TrainingWork,
  folder: string,
  source: CellSource,
  { signal, spareThreads }: CellOptions,
): Promise<ModelMetadata> {
  const path = join(folder, 'model.onnx')
  if (!existsSync(path)) {
    const noisyCase = (one: PlannedCase) => async () => {
      const { id, image, noisy } = await load(cell, one, source)
      return { id, image, label: noisy }
    }
    await trainSegmentation(config, training.map(noisyCase), {
      folder,
      validation: cell.validation.map(noisyCase),
      threads,
      ...(spareThreads && { spareThreads }),
      dataset: source.dataset,
      ...(signal && { signal }),
    })
  }
  await splitLog(folder)
  const model = await openModel(path, { threads })
  await model.session.dispose()
  return model.metadata
}

/** Takes wall-clock times out of log.jsonl, which is the same for every run, into timing.jsonl, which is not. */
async function splitLog(folder: string): Promise<void> {
  const path = join(folder, 'log.jsonl')
  const epochs = await readCellFile(path, parseLog<EpochLog>)
  if (epochs.every((epoch) => epoch.seconds === undefined)) return
  const parts = epochs.map(({ seconds, validationSeconds, dataShare, stepThreads, ...stable }) => ({
    timing: { epoch: stable.epoch, seconds, validationSeconds, dataShare, stepThreads },
    stable,
  }))
  const peak = { peakBytes: process.resourceUsage().maxRSS * 1024 }
  const text = (lines: readonly object[]) => Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  await writeAtomically(join(folder, 'timing.jsonl'), [text([...parts.map(({ timing }) => timing), peak])])
  await writeAtomically(path, [text(parts.map(({ stable }) => stable))])
}

function maskOf(labels: LabelArray, values: readonly number[]): Uint8Array {
  const result = new Uint8Array(labels.length)
  for (let i = 0; i < labels.length; i++) if (labels[i] !== 0 && values.includes(labels[i])) result[i] = 1
  return result
}
