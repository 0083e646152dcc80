import { type FitOptions, fitAnnotators } from '../../annotators/fit.ts'
import { observeAnnotators } from '../../annotators/observe.ts'
import { sampleCase } from '../../datasets/sample-case.ts'
import { labelOptima } from '../../decision/label-optima.ts'
import type { NpyArray } from '../../formats/npy.ts'
import { memoryMaps } from '../../maps/array-maps.ts'
import { type DecodeCaseOptions, decodeCase } from '../../maps/decode.ts'
import { mapArrayOf } from '../../maps/map-array.ts'
import { withScheme } from '../../maps/open-case.ts'
import { namedClasses, type SchemeOptions } from '../../maps/scheme.ts'
import { caseResult } from '../../maps/threshold-result.ts'
import { maskArray } from '../../maps/write-mask.ts'
import { type EvaluateCaseOptions, evaluateCase } from '../../metrics/evaluate-case.ts'
import { diceOf } from '../../metrics/overlap.ts'
import { foldProbability } from '../../noise/fold.ts'
import { labelMarginals } from '../../noise/label-marginals.ts'
import { type Vec3, voxelCount, voxelVolumeMm3 } from '../../volume/grid.ts'
import { labelsToUse, parseLabels } from '../../volume/label-names.ts'
import { type LabelArray, labelMapOf } from '../../volume/labels.ts'
import { streamSeed } from '../../volume/random.ts'
import { foldWarning } from '../fold-warning.ts'
import { realNumber, wholeNumber } from '../numbers.ts'
import { gridOf, noNames, volumeOf } from './arrays.ts'

/** What a call comes back with, but for its number. */
interface Outcome {
  readonly result: object
  readonly arrays: readonly NpyArray[]
}

/**
 * A call: one of the library's functions on arrays, of which the last axis is the fastest. Lengths are in mm, lists of
 * them in the order of a grid: the fastest axis first.
 */
type Method = (params: Readonly<Record<string, unknown>>, arrays: readonly NpyArray[]) => Promise<Outcome>

export const methods: Readonly<Record<string, Method>> = {
  threshold: (params, [maps]) => threshold(params, maps),
  marginal: (params, [labels]) => marginal(params as never, labels),
  optimum: (params, [labels]) => optimum(params as never, labels),
  sample: (params, [labels]) => sample(params as never, labels),
  raters: (params, maps) => raters(params as never, maps),
  evaluate: (params, [prediction, reference]) => evaluate(params as never, prediction, reference),
}

interface ThresholdParams extends SchemeOptions, Omit<DecodeCaseOptions, 'inspect' | 'at'> {
  /** One threshold, or one a map: null for the map's own. */
  readonly at?: number | readonly (number | null)[]
  readonly spacingMm?: Vec3
  readonly scale?: number
  readonly logits?: 'softmax' | 'sigmoid'
}

/** As `halfdice threshold --stdin-npy`: maps with axes [class, z, y, x], or one of [z, y, x]. */
async function threshold(params: ThresholdParams, maps: NpyArray): Promise<Outcome> {
  const { spacingMm, scale, logits, decode, classes, datasetJson, at: given, ...options } = params
  const at = typeof given === 'object' ? given.map((each) => each ?? undefined) : given
  const array = mapArrayOf(maps, 'probabilities')
  if (scale !== undefined) positive('scale', scale)
  const named = { decode, classes, datasetJson }
  const { source, scheme } = await withScheme(
    await memoryMaps(array, 'case', { scale, logits, spacingMm }),
    namedClasses(named, undefined),
    named,
    'array',
  )
  const { decoded, warnings } = await decodeCase(source, scheme, { ...options, at })
  const { input: _, output: __, ...told } = caseResult(source, scheme, decoded, '')
  return {
    result: {
      kind: scheme.kind,
      classes: scheme.maps.map((each) => each ?? null),
      ...told,
      warnings: [...source.warnings, ...warnings],
    },
    arrays: [maskArray(source, decoded)],
  }
}

interface NoiseParams {
  readonly spacingMm: Vec3
  /** Labels as `--labels` takes them. */
  readonly labels?: readonly string[]
}

interface MarginalParams extends NoiseParams {
  readonly sigmaMm: Vec3
  readonly background?: boolean
}

/** As `halfdice marginal`. */
async function marginal(params: MarginalParams, array: NpyArray): Promise<Outcome> {
  const { grid, values, labels, foreground } = labelsOf(params, array)
  const wanted = params.background && !foreground.includes(0) && labels.includes(0) ? [0, ...foreground] : foreground
  const { data, volumes } = labelMarginals(values, grid, wanted, params.sigmaMm)
  return { result: { labels: volumes }, arrays: [{ shape: [wanted.length, ...array.shape], data }] }
}

interface OptimumParams extends NoiseParams {
  readonly sigmasMm: readonly Vec3[]
  readonly lengthMm?: number
  readonly samples?: number
  readonly seed: number
  readonly name: string
}

/** As `halfdice optimum`. */
async function optimum(params: OptimumParams, array: NpyArray): Promise<Outcome> {
  const { grid, values, foreground } = labelsOf(params, array)
  const { sigmasMm, lengthMm, samples, seed, name } = params
  const rows = labelOptima(values, grid, {
    labels: foreground,
    sigmasMm,
    lengthMm,
    samples: samples === undefined ? undefined : { count: samples, seed: streamSeed(seedOf(seed), name) },
  })
  return { result: { rows, ...warned(foldWarning(...rows.map((row) => row.foldProbability ?? 0))) }, arrays: [] }
}

interface SampleParams extends NoiseParams {
  readonly sigmaMm: Vec3
  readonly lengthMm: number
  readonly name: string
  readonly seed: number
  readonly number: number
  readonly first: number
  readonly threads: number
}

/** As `halfdice sample`, all samples in one array. */
async function sample(params: SampleParams, array: NpyArray): Promise<Outcome> {
  const { grid, values: all, foreground } = labelsOf(params, array)
  const values = params.labels === undefined ? all : all.map((label) => (foreground.includes(label) ? label : 0))
  const { sigmaMm, lengthMm, name, seed, first, threads } = params
  const number = whole('number', params.number, 1, 1_000_000)
  const indices = Array.from({ length: number }, (_, n) => whole('first', first, 0) + n)
  const voxels = voxelCount(grid)
  const data = new (values.constructor as new (length: number) => LabelArray)(voxels * number)
  const samples: object[] = []
  const ml = voxelVolumeMm3(grid) / 1000
  const model = { sigmaMm, lengthMm }
  const draws = { seed: seedOf(seed), threads: whole('threads', threads, 1, 1024), indices }
  await sampleCase({ name, values, labels: foreground, grid, model }, draws, async ({ index, values, overlaps }) => {
    data.set(values, (index - first) * voxels)
    samples[index - first] = Object.fromEntries(
      [...overlaps].map(([label, counts]) => [
        label,
        { voxels: counts.voxelsA, volumeMl: counts.voxelsA * ml, dice: diceOf(counts) },
      ]),
    )
  })
  const fold = foldProbability(model, grid)
  return {
    result: { foldProbability: fold, samples, ...warned(foldWarning(fold)) },
    arrays: [{ shape: [number, ...array.shape], data }],
  }
}

interface EvaluateParams extends Omit<EvaluateCaseOptions, 'labels' | 'names'> {
  readonly spacingMm: Vec3
  readonly labels?: readonly string[]
}

/** As `halfdice evaluate`: the prediction may have an axis of classes in front. */
async function evaluate(params: EvaluateParams, predicted: NpyArray, truth: NpyArray): Promise<Outcome> {
  const { spacingMm, labels, ...options } = params
  if (options.scale !== undefined) positive('scale', options.scale)
  const { scores, notes } = evaluateCase(
    volumeOf(predicted, spacingMm, 'prediction'),
    volumeOf(truth, spacingMm, 'reference'),
    { ...options, labels: labels && parseLabels(labels, noNames) },
  )
  const rows = scores.map(({ labels: own, probabilities, ...score }) => [own.join('+'), { ...score, ...probabilities }])
  return { result: { labels: Object.fromEntries(rows), warnings: notes }, arrays: [] }
}

interface RatersParams extends FitOptions {
  /** Of each case how many of the arrays are its annotators', in their order, and its spacing. */
  readonly counts: readonly number[]
  readonly spacingsMm: readonly Vec3[]
  readonly label: number
}

/** As `halfdice raters`, of one label. */
async function raters(params: RatersParams, maps: readonly NpyArray[]): Promise<Outcome> {
  const { counts, spacingsMm, label, anonymous, draws, seed } = params
  let next = 0
  const observations = counts.map((count, c) => {
    const own = maps.slice(next, (next += count))
    const subject = `case ${c + 1}`
    const grid = gridOf(own[0].shape, spacingsMm[c], subject)
    const values = own.map(({ data }) => labelMapOf({ grid, channels: 1, data }, subject).values)
    return observeAnnotators(subject, values, grid, label)
  })
  const seen = observations.filter(({ present }) => present.length > 0)
  const { check, ...fit } = fitAnnotators(seen, {
    anonymous,
    draws: whole('draws', draws ?? 300, 0, 100_000),
    seed: seedOf(seed ?? 0),
  })
  return { result: { ...fit, ...check }, arrays: [] }
}

/** A label map, and those of its labels that are asked for. */
function labelsOf({ spacingMm, labels: texts }: NoiseParams, array: NpyArray) {
  const grid = gridOf(array.shape, spacingMm, 'labels')
  const { values, labels } = labelMapOf({ grid, channels: 1, data: array.data }, 'labels')
  return { grid, values, labels, foreground: labelsToUse('labels', labels, texts, noNames) }
}

function warned(...texts: readonly (string | undefined)[]): { readonly warnings: readonly string[] } {
  return { warnings: texts.filter((text) => text !== undefined) }
}

function positive(name: string, value: number): number {
  return realNumber(name, (x) => x > 0, 'greater than 0')(String(value))
}

function whole(name: string, value: number, least: number, most?: number): number {
  return wholeNumber(name, least, most)(String(value))
}

function seedOf(value: number): number {
  return whole('seed', value, 0, 0xffffffff)
}
