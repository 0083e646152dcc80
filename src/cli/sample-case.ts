import { basename, dirname } from 'node:path'
import { maskLabelsOf, type WrittenMask } from '../datasets/mask-labels.ts'
import { outcomeOf } from '../datasets/over-cases.ts'
import { relabelled } from '../datasets/relabelled.ts'
import { sampleCase } from '../datasets/sample-case.ts'
import { createFolder } from '../formats/output-folder.ts'
import { readVolume, writeVolume } from '../formats/volume-file.ts'
import { diceOf, type Overlap } from '../metrics/overlap.ts'
import { foldProbability } from '../noise/fold.ts'
import type { NoiseModel } from '../noise/model.ts'
import { voxelVolumeMm3 } from '../volume/grid.ts'
import { labelsToUse } from '../volume/label-names.ts'
import { type LabelArray, labelMapOf } from '../volume/labels.ts'
import { foldWarning } from './fold-warning.ts'
import type { LabelMapWork, Made } from './label-map-processes.ts'
import { readLabelNamesFor } from './labels.ts'
import { type NoiseOptions, noiseJson, noisesOf, withRoomForNoise } from './noise-options.ts'
import type { LabelOutcome } from './over-label-maps.ts'
import { fixed, millilitresOr, percent } from './print.ts'

/** A label map and its samples to draw: plain data, which a process can be handed. */
export interface SampleJob {
  readonly input: string
  /** What the noise depends on, beside the seed. */
  readonly field: string
  /** A file for each of the samples. */
  readonly files: readonly string[]
  /** Whether they lie in a folder for them, which is told what their labels are called. */
  readonly inFolder: boolean
  readonly indices: readonly number[]
  /** On which samples are drawn; they change nothing in them. */
  readonly threads: number
  readonly options: NoiseOptions & { readonly labels?: readonly string[] | undefined; readonly seed: number }
}

/** What is told of a label map's samples. */
interface SamplesTold {
  readonly json: object
  readonly title: string
  /** One a label: volumes of the reference and of the samples, in ml, and the samples' Dice. */
  readonly rows: readonly {
    readonly label: number
    readonly name: string | undefined
    readonly referenceMl: number
    readonly volumesMl: readonly number[]
    readonly dices: readonly number[]
  }[]
  /** Those that lie in a folder for them, and what their labels are called. */
  readonly written: readonly WrittenMask[] | undefined
}

/** What a process runs, and the module where it finds it. */
export const sampleWork: LabelMapWork<SampleJob, SamplesTold> = {
  module: new URL('./sample-case.js', import.meta.url),
  make,
  run: (job) => outcomeOf(() => make(job)),
}
export const { run } = sampleWork

/** Draws and writes the samples of a label map. */
async function make(
  { input, field, files, inFolder, indices, threads, options }: SampleJob,
  onProgress?: (done: number, all: number) => void,
): Promise<Made<SamplesTold>> {
  const warnings: string[] = []
  const warn = (text: string) => warnings.push(text)
  const [noise] = noisesOf(options, { length: true }, warn)
  const stored = await readVolume(input)
  const map = labelMapOf(stored, input)
  const names = await readLabelNamesFor(input, warn)
  const labels = inFolder ? await maskLabelsOf(input) : undefined
  const foreground = labelsToUse(input, map.labels, options.labels, names)
  const model = noise.on(stored.grid, foreground) as NoiseModel
  const { volume: reference, values: all } = withRoomForNoise([model], stored, map, input)
  const values = options.labels === undefined ? all : onlyLabels(all, foreground)
  const { grid } = reference
  const fold = foldProbability(model, grid)
  const folded = foldWarning(fold)
  if (folded !== undefined) warn(folded)

  const overlaps = new Map<number, ReadonlyMap<number, Overlap>>()
  const source = { name: field, values, labels: foreground, grid, model }
  const draws = { seed: options.seed, threads, indices }
  await createFolder(dirname(files[0]))
  await sampleCase(source, draws, async ({ index, values: noisy, overlaps: counts }) => {
    await writeVolume(files[index - indices[0]], relabelled(reference, noisy))
    overlaps.set(index, counts)
    onProgress?.(overlaps.size, indices.length)
  })

  const ml = voxelVolumeMm3(grid) / 1000
  const samples = indices.map((index, i) => ({
    file: files[i],
    labels: Object.fromEntries(
      [...(overlaps.get(index) ?? [])].map(([label, counts]) => {
        const name = names.of(label)
        const told = { voxels: counts.voxelsA, volumeMl: counts.voxelsA * ml, dice: diceOf(counts) }
        return [label, { ...(name !== undefined && { name }), ...told }]
      }),
    ),
  }))
  const last = files.length > 1 ? ` … ${basename(files[files.length - 1])}` : ''
  const made = {
    json: { input, seed: options.seed, ...noiseJson(model), foldProbability: fold, samples },
    title: [`${files[0]}${last}`, `${noise.text}, seed ${options.seed}; folded share of space ${percent(fold)}`].join(
      '\n',
    ),
    rows: foreground.map((label) => ({
      label,
      name: names.of(label),
      referenceMl: (overlaps.get(indices[0])?.get(label)?.voxelsB ?? 0) * ml,
      volumesMl: samples.map(({ labels }) => labels[label].volumeMl),
      dices: samples.map(({ labels }) => labels[label].dice),
    })),
    written: inFolder ? files.map((path) => ({ path, labels })) : undefined,
  }
  return { made, warnings }
}

/** How samples are shown: mean and range of volume and Dice. */
export function sampleOutcome({ json, title, rows, written }: SamplesTold): LabelOutcome {
  const dice = (value: number | undefined) => fixed(value, 3)
  const spread = (values: readonly number[]) => [
    values.reduce((sum, value) => sum + value, 0) / values.length,
    Math.min(...values),
    Math.max(...values),
  ]
  return {
    json,
    title,
    ...(written && { written }),
    table: {
      keys: ['label', 'name'],
      columns: [
        ...['reference ml', 'mean ml', 'least', 'most'].map((each) => ({ title: each, format: millilitresOr })),
        ...['mean Dice', 'least', 'most'].map((each) => ({ title: each, format: dice })),
      ],
      rows: rows.map(({ label, name, referenceMl, volumesMl, dices }) => ({
        keys: [label, name ?? ''],
        values: [referenceMl, ...spread(volumesMl), ...spread(dices)],
      })),
    },
  }
}

/** A copy of a label map in which all labels but these are background. */
function onlyLabels(values: LabelArray, labels: readonly number[]): LabelArray {
  return values.map((label) => (labels.includes(label) ? label : 0))
}
