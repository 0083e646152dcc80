import type { AnnotatorCeiling } from '../decision/annotator-ceiling.ts'
import { decodeProbabilities } from '../decision/decode/decode-probabilities.ts'
import type { PresenceRule } from '../decision/decode/presence.ts'
import { presenceNote } from '../decision/decode/presence-note.ts'
import { softDiceAt } from '../decision/soft-dice-at.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, gridDifference, voxelCount } from '../volume/grid.ts'
import type { LabelSet } from '../volume/label-numbers.ts'
import { holdsLabels, type LabelArray, type LabelMap, labelMapOf, withoutIgnored } from '../volume/labels.ts'
import { onOneGrid } from '../volume/one-grid.ts'
import { probabilitiesOf } from '../volume/probabilities.ts'
import { maskOf255 } from '../volume/reference-labels.ts'
import { channelOf, type Volume } from '../volume/volume.ts'
import { calibration } from './calibration.ts'
import { type EvaluateOptions, evaluateLabels, type LabelScores } from './evaluate-labels.ts'

/** Options of `evaluateCase`. */
export interface EvaluateCaseOptions extends Omit<EvaluateOptions, 'labels'> {
  /** What to score: labels, or several taken together; for a prediction of several maps what each of them is. */
  readonly labels?: readonly LabelSet[] | undefined
  /** Where probabilities are cut, or `auto` for each map's own t*; default ½. */
  readonly at?: number | 'auto'
  /** For `auto`: whether a class with little evidence is left out (see `presenceOf`). */
  readonly presence?: PresenceRule | undefined
  /** What stands for probability 1 in the prediction. */
  readonly scale?: number | undefined
  /** The reference's label of voxels that nobody has annotated; they count in no score. */
  readonly ignore?: number | undefined
  /** What the noise of annotators leaves to reach (docs/annotators.md, "The ceiling"); by default nothing is said. */
  readonly ceilingOf?: CeilingOf | undefined
  /** What to call the files in errors. */
  readonly names?: { readonly prediction: string; readonly reference: string }
}

/**
 * The ceiling of labels taken together, in a prediction and a reference on one grid; `value` is their voxels' in both,
 * and the reference is negative where nobody has annotated.
 */
export type CeilingOf = (
  labels: readonly number[],
  value: number,
  prediction: LabelArray,
  reference: LabelArray,
  grid: Grid,
) => AnnotatorCeiling | undefined

/** The scores of one label, or of several taken together. */
export interface CaseScore extends Omit<LabelScores, 'label'> {
  readonly labels: readonly number[]
  /** Where the noise of annotators is given, and the reference holds the label. */
  readonly ceiling?: AnnotatorCeiling
  /** Where the prediction is a map of probabilities. */
  readonly probabilities?: ProbabilityScore
}

/** How good probabilities are. */
export interface ProbabilityScore {
  readonly threshold: number
  /** The soft Dice that the probabilities promise for this threshold. */
  readonly softDice: number
  readonly ece: number
  readonly brier: number
}

/** What `evaluateCase` found. */
export interface Evaluation {
  readonly scores: readonly CaseScore[]
  /** Voxels that count: all but those that nobody has annotated. */
  readonly voxels: number
  /** How a map was read, where that may surprise. */
  readonly notes: readonly string[]
}

/**
 * Scores a prediction against a reference on the same grid. The prediction is a label map, one 0/1 mask a channel, or
 * one map of probabilities a channel; only probabilities have fractions. By default all labels of both maps are scored.
 *
 * @throws InputError where the grids differ, a map holds something else, or it is unknown which label a channel is
 * @example
 * const volume = (data: Uint8Array) => ({ grid: createGrid([4, 1, 1]), channels: 1, data })
 * evaluateCase(volume(Uint8Array.of(0, 2, 2, 0)), volume(Uint8Array.of(0, 2, 0, 0))).scores[0].dice // 2/3
 */
export function evaluateCase(prediction: Volume, reference: Volume, options: EvaluateCaseOptions = {}): Evaluation {
  return evaluateVolumes(onOneGrid(prediction, reference), options)
}

function evaluateVolumes([prediction, reference]: readonly [Volume, Volume], options: EvaluateCaseOptions): Evaluation {
  const names = options.names ?? { prediction: 'prediction', reference: 'reference' }
  const difference = gridDifference(prediction.grid, reference.grid)
  if (difference !== undefined) {
    const remedy = 'resample one to the other'
    throw new InputError(names.prediction, `lies on another grid than ${names.reference} (${difference}); ${remedy}`)
  }
  if (options.ignore !== undefined && options.labels?.some((each) => each.labels.includes(options.ignore ?? 0))) {
    throw new InputError('labels', `label ${options.ignore} marks voxels that nobody has annotated; name structures`)
  }
  const truth = withoutIgnored(labelMapOf(reference, names.reference), options.ignore)
  const voxels = options.ignore === undefined ? truth.values.length : annotated(truth.values)
  return { ...scoresOf(prediction, truth, reference.grid, { ...options, names }), voxels }
}

function scoresOf(prediction: Volume, truth: LabelMap, grid: Grid, options: NamedOptions): Scored {
  const { names } = options
  if (options.scale === undefined && holdsLabels(prediction)) {
    if (prediction.channels === 1) return scoreLabels(labelMapOf(prediction, names.prediction), truth, grid, options)
    const masks = masksOf(prediction, names.prediction)
    if (masks !== undefined) return scoreMasks(masks, truth, grid, options)
  }
  return scoreProbabilities(prediction, truth, options)
}

function annotated(values: LabelArray): number {
  let count = 0
  for (let i = 0; i < values.length; i++) if (values[i] >= 0) count++
  return count
}

type Scored = Omit<Evaluation, 'voxels'>
type NamedOptions = EvaluateCaseOptions & Required<Pick<EvaluateCaseOptions, 'names'>>

function scoreLabels(predicted: LabelMap, truth: LabelMap, grid: Grid, all: NamedOptions): Scored {
  const { labels, ignore, names, ...options } = all
  const pred = maskOf255(predicted, labels ?? foregroundOf(truth))
  const ref = maskOf255(truth, labels ?? foregroundOf(pred.map))
  const notes = [noteOn(names.prediction, pred.note), noteOn(names.reference, ref.note)].flat()
  const [p, r] = [pred.map.values, ref.map.values]
  if (labels === undefined || labels.every((each) => each.labels.length === 1)) {
    const wanted = labels && { labels: labels.map((each) => each.labels[0]) }
    const scores = evaluateLabels(p, r, grid, { ...options, ...wanted })
    const rows = scores.filter(({ label }) => labels !== undefined || label !== ignore)
    return {
      scores: rows.map((score) =>
        scoreOf([score.label], score, all.ceilingOf?.([score.label], score.label, p, r, grid)),
      ),
      notes,
    }
  }
  const scores = labels.map((each) => scoreMask(each.labels, inside(p, each.labels), inside(r, each.labels), grid, all))
  return { scores, notes }
}

/** The channels of a prediction as masks, or undefined where one is none. */
export function masksOf(prediction: Volume, name: string): readonly LabelArray[] | undefined {
  const masks: LabelArray[] = []
  for (let channel = 0; channel < prediction.channels; channel++) {
    const { values, labels } = labelMapOf({ ...prediction, channels: 1, data: channelOf(prediction, channel) }, name)
    if (labels.some((label) => label > 1)) return undefined
    masks.push(values)
  }
  return masks
}

function scoreMasks(masks: readonly LabelArray[], truth: LabelMap, grid: Grid, options: NamedOptions): Scored {
  const { sets, values, notes } = setsOfMaps(masks.length, 'mask', truth, options)
  return {
    scores: sets.map(({ labels }, i) => scoreMask(labels, masks[i], inside(values, labels), grid, options)),
    notes,
  }
}

function scoreProbabilities(prediction: Volume, truth: LabelMap, options: NamedOptions): Scored {
  const { grid, channels } = prediction
  const { scale, at = 0.5, presence, names } = options
  const { sets, values, notes } = setsOfMaps(channels, 'map of probabilities', truth, options)
  const all = probabilitiesOf(prediction, names.prediction, scale === undefined ? {} : { scale })
  const n = voxelCount(grid)
  const { data, maps } = decodeProbabilities(
    { data: all, shape: [channels, n] },
    { labelSets: sets.map(({ labels }) => labels), at: at === 'auto' ? undefined : at, presence },
  )
  const scores = sets.map(({ labels }, channel): CaseScore => {
    const m = all.subarray(channel * n, (channel + 1) * n)
    const cut = data.subarray(channel * n, (channel + 1) * n)
    const result = maps[channel]
    const note = result && presenceNote(nameOf(sets[channel]), result)
    if (note !== undefined) notes.push(`${names.prediction}: ${note}`)
    const threshold = result?.threshold ?? 0.5
    const mask = inside(values, labels)
    const annotated = mask.some((value: number) => value < 0) ? annotatedPart(m, mask) : { m, mask }
    const { ece, brier } = calibration(annotated.m, annotated.mask)
    // Of a class that is left out the mask is empty, and worth 0.
    const softDice = result?.present ? softDiceAt(annotated.m, threshold).dice : (result?.softDice ?? 1)
    const score = scoreMask(labels, cut, mask, grid, options)
    return { ...score, probabilities: { threshold, softDice, ece, brier } }
  })
  return { scores, notes }
}

/** A number alone would not say that it is a label. */
function nameOf({ name }: LabelSet): string {
  return /^\d/.test(name) ? `label ${name}` : name
}

/** Which labels each map of the prediction is. */
function setsOfMaps(count: number, kind: string, truth: LabelMap, { labels, names }: NamedOptions) {
  const sets = labels ?? foregroundOf(truth)
  if (sets.length !== count || (labels === undefined && count > 1)) {
    const maps = `has ${count === 1 ? 'one' : count} ${kind.replace(/^ma\w+/, count === 1 ? '$&' : '$&s')}`
    const what = labels ? `--labels names ${labels.length}` : `${names.reference} holds ${truth.labels.join(', ')}`
    throw new InputError(names.prediction, `${maps}, ${what}; say with --labels which label each map is`)
  }
  const { map, note } = maskOf255(truth, sets)
  return { sets, values: map.values, notes: noteOn(names.reference, note) }
}

export function foregroundOf({ labels }: LabelMap): LabelSet[] {
  return labels.filter((label) => label !== 0).map((label) => ({ name: String(label), labels: [label] }))
}

function noteOn(name: string, note: string | undefined): string[] {
  return note === undefined ? [] : [`${name}: ${note}`]
}

/** 1 where a voxel has one of the labels, 0 elsewhere, −1 where nobody has annotated. */
export function inside(values: LabelArray, labels: readonly number[]): Int8Array {
  const mask = new Int8Array(values.length)
  const members = new Set(labels)
  let [previous, current] = [Number.NaN, 0]
  for (let i = 0; i < values.length; i++) {
    const label = values[i]
    if (label !== previous) [previous, current] = [label, label < 0 ? -1 : Number(members.has(label))]
    mask[i] = current
  }
  return mask
}

/** The voxels that somebody has annotated. */
function annotatedPart(m: Float32Array, mask: Int8Array): { m: Float32Array; mask: Int8Array } {
  return { m: m.filter((_, i) => mask[i] >= 0), mask: mask.filter((value) => value >= 0) }
}

function scoreMask(
  labels: readonly number[],
  predicted: LabelArray,
  truth: LabelArray,
  grid: Grid,
  options: EvaluateCaseOptions,
): CaseScore {
  const [score] = evaluateLabels(predicted, truth, grid, { ...options, labels: [1] })
  return scoreOf(labels, score, options.ceilingOf?.(labels, 1, predicted, truth, grid))
}

function scoreOf(
  labels: readonly number[],
  { label: _, ...score }: LabelScores,
  ceiling: AnnotatorCeiling | undefined,
): CaseScore {
  return { labels, ...score, ...(ceiling && { ceiling }) }
}
