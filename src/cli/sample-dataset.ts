import { readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { readDatasetJson } from '../datasets/dataset-json.ts'
import { makeNoisyDataset, type NoisyDatasetCase } from '../datasets/noisy-dataset.ts'
import { layoutOf, type NoisyLayout } from '../datasets/noisy-layout.ts'
import { noisyNnunet } from '../datasets/noisy-nnunet.ts'
import { noisyPairs } from '../datasets/noisy-pairs.ts'
import { noisyTotalSegmentator } from '../datasets/noisy-totalsegmentator.ts'
import { diceOf } from '../metrics/overlap.ts'
import { foldProbability } from '../noise/fold.ts'
import type { NoiseModel } from '../noise/model.ts'
import { InputError } from '../volume/errors.ts'
import { createGrid, type Grid } from '../volume/grid.ts'
import { singleLabels } from '../volume/label-names.ts'
import { finishCases } from './case-failures.ts'
import { foldWarning } from './fold-warning.ts'
import { namesIn } from './labels.ts'
import type { Length } from './lengths.ts'
import { type GivenNoise, noiseJson } from './noise-options.ts'
import { checkOutputFolder } from './outputs.ts'
import { percent, printResult, warn } from './print.ts'
import { startProgress } from './progress.ts'
import type { SampleOptions } from './sample.ts'
import { describeSamples, type SampledCase, summaryOf } from './sample-table.ts'
import { version } from './version.ts'

/** `halfdice sample DATASET`: a noisy version of a whole data set. */
export async function sampleDataset(folder: string, options: SampleOptions, noise: GivenNoise): Promise<void> {
  const { layout, labels } = await openLayout(folder, options)
  const indices = Array.from({ length: options.number }, (_, i) => options.first + i)
  const outputs = outputsOf(options)
  for (const output of outputs) checkOutputFolder(dirname(resolve(output)))
  if (layoutOf(folder) === 'nnunet') for (const output of outputs) checkNnunetName(output)
  for (const note of layout.notes) warn(note)
  const progress = startProgress('sampling', layout.cases.length)
  const { cases, failures } = await makeNoisyDataset({
    source: folder,
    layout,
    outputs,
    indices,
    seed: options.seed,
    model: (grid: Grid) => noise.on(grid, labels) as NoiseModel,
    record: {
      halfdice: version(),
      source: basename(resolve(folder)),
      seed: options.seed,
      ...recordOf(options, noise, labels),
      ...(options.labels && { labels: options.labels }),
    },
    images: options.images,
    threads: options.threads,
    onCase: progress.update,
  }).finally(progress.end)
  const sampled = cases.map((one) => sampledCase(one, outputs, indices, layout))
  const fold = Math.max(0, ...sampled.map(({ foldProbability }) => foldProbability))
  const folded = foldWarning(fold)
  if (folded !== undefined) warn(folded)
  const { seed, images } = options
  const failed = failures.map(({ subject, fault }) => ({ input: subject, error: fault }))
  const result = {
    input: folder,
    outputs,
    seed,
    images,
    foldProbability: fold,
    cases: sampled,
    mean: summaryOf(sampled),
    ...(failed.length > 0 && { failed }),
  }
  printResult(options.json, result, () =>
    cases.length === 0
      ? undefined
      : [
          outputs.length === 1 ? outputs[0] : `${outputs[0]} … ${outputs[outputs.length - 1]}`,
          `${noise.text}, seed ${seed}; folded share of space ${percent(fold)}`,
          '',
          describeSamples(sampled),
        ].join('\n'),
  )
  finishCases('sample', failures, layout.cases.length)
}

/** The data set, and the numbers of the labels that are kept, where --labels gives them. */
async function openLayout(
  folder: string,
  { labels: texts, suffix }: SampleOptions,
): Promise<{ readonly layout: NoisyLayout; readonly labels: readonly number[] }> {
  const kind = layoutOf(folder)
  if (kind === 'totalsegmentator') {
    const organs = texts?.flatMap((text) => text.split(','))
    return { layout: await noisyTotalSegmentator(folder, organs), labels: [] }
  }
  const names = namesIn(kind === 'pairs' ? undefined : readDatasetJson(join(folder, 'dataset.json')))
  const labels = texts && singleLabels(texts, names)
  const layout = kind === 'pairs' ? await noisyPairs(folder, labels, suffix) : await noisyNnunet(folder, labels)
  return { layout, labels: labels ?? [] }
}

/** What the new data set says of its noise: as it was given, or in mm where it is from a file. */
function recordOf(
  { sigma, length, presence, bias, tau }: SampleOptions,
  noise: GivenNoise,
  labels: readonly number[],
): Record<string, unknown> {
  if (sigma === undefined || length === undefined) return noiseJson(noise.on(createGrid([1, 1, 1]), labels))
  return {
    ...inUnits('sigma', sigma),
    ...inUnits('length', length),
    ...(presence !== undefined && { presence }),
    ...(bias !== undefined && { biasMm: bias }),
    ...(tau !== undefined && { biasSdMm: tau }),
  }
}

/** A folder a sample: nnU-Net knows data sets by number, so that several count up from the first's. */
function outputsOf({ output, number, first }: SampleOptions): string[] {
  const path = output.replace(/(?<=.)[/\\]+$/, '')
  if (number === 1) return [path]
  const [, digits, rest] = /^Dataset(\d{3})(_.+)$/.exec(basename(path)) ?? []
  return Array.from({ length: number }, (_, i) => {
    if (digits === undefined) return `${path}_${String(first + i).padStart(4, '0')}`
    const own = Number(digits) + i
    if (own > 999) throw new InputError(output, `leaves no three digits for ${number} data sets; take a lower number`)
    return join(dirname(path), `Dataset${String(own).padStart(3, '0')}${rest}`)
  })
}

/** nnU-Net wants DatasetNNN_NAME, and stops where two data sets have one number. */
function checkNnunetName(output: string): void {
  const name = basename(resolve(output))
  const [number] = /^Dataset\d{3}_/.exec(name) ?? []
  if (number === undefined) {
    warn(`${output}: nnU-Net finds data sets by names such as Dataset104_${name}`)
    return
  }
  let beside: string[] = []
  try {
    beside = readdirSync(dirname(resolve(output)))
  } catch {
    // A folder that is yet to be made holds none.
  }
  const other = beside.find((each) => each !== name && each.startsWith(number))
  if (other === undefined) return
  throw new InputError(output, `has the number of ${other}, and nnU-Net wants one of its own; take another`)
}

/** `sigmaMm: 4`, `sigmaVoxels: 2`, or a text where units are mixed. */
function inUnits(key: string, { values, text }: Length): Record<string, unknown> {
  const [{ unit }] = values
  if (values.some((each) => each.unit !== unit)) return { [key]: text }
  const numbers = values.map(({ value }) => value)
  return { [key + (unit === 'mm' ? 'Mm' : 'Voxels')]: numbers.length === 1 ? numbers[0] : numbers }
}

function sampledCase(
  { id, grid, model, voxelMl, counts, files }: NoisyDatasetCase,
  outputs: readonly string[],
  indices: readonly number[],
  { names }: NoisyLayout,
): SampledCase {
  return {
    case: id,
    ...noiseJson(model),
    lengthMm: model.lengthMm,
    foldProbability: foldProbability(model, grid),
    samples: indices.map((index, i) => ({
      // Several masks lie in one folder.
      file: join(outputs[i], files.length === 1 ? files[0] : dirname(files[0])),
      labels: Object.fromEntries(
        counts
          .filter(({ sample }) => sample === index)
          .map(({ label, ...overlap }) => [
            label,
            {
              ...(typeof label === 'number' && names.get(label) && { name: names.get(label) }),
              voxels: overlap.voxelsA,
              volumeMl: overlap.voxelsA * voxelMl,
              referenceMl: overlap.voxelsB * voxelMl,
              dice: diceOf(overlap),
            },
          ]),
      ),
    })),
  }
}
