import { Command } from 'commander'
import { thresholdMask } from '../decision/mask.ts'
import { softDiceOptimum } from '../decision/soft-dice.ts'
import { softDiceAt } from '../decision/soft-dice-at.ts'
import { readVolume } from '../formats/volume-file.ts'
import { calibration } from '../metrics/calibration.ts'
import { evaluateLabels, type LabelScores } from '../metrics/evaluate-labels.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, gridDifference, voxelCount } from '../volume/grid.ts'
import { holdsLabels, type LabelArray, labelMapOf } from '../volume/labels.ts'
import { probabilitiesOf } from '../volume/probabilities.ts'
import type { Volume } from '../volume/volume.ts'
import { type LabelNames, labelNamesFor } from './label-names.ts'
import { realNumber } from './numbers.ts'
import { type JsonOption, withJson } from './options.ts'
import { fixed, millilitres, printResult, table } from './print.ts'

interface Options extends JsonOption {
  readonly labels?: readonly Region[]
  readonly at: number | 'auto'
  readonly scale?: number
}

/** A class to score: one label, or several taken together (`1+2`). */
interface Region {
  readonly key: string
  readonly members: ReadonlySet<number>
}

interface Score {
  readonly name?: string
  readonly dice: number
  readonly iou: number
  readonly volumePredMl: number
  readonly volumeRefMl: number
  /** null where either mask is empty. */
  readonly hd95Mm: number | null
  readonly meanSurfaceDistanceMm: number | null
  readonly hausdorffMm: number | null
  readonly probabilities?: ProbabilityScore
}

interface ProbabilityScore {
  readonly threshold: number
  /** The Dice that the probabilities promise for this threshold. */
  readonly expectedDice: number
  readonly ece: number
  readonly brier: number
}

/** `halfdice evaluate`: how a prediction compares with a reference. */
export function command(): Command {
  const command = new Command('evaluate')
    .description(
      'Scores a prediction against a reference, label by label: Dice, IoU, volumes, and the distance of the surfaces (95th ' +
        'percentile and mean, mm). A prediction of probabilities is also scored for calibration (ECE, Brier).',
    )
    .argument('<prediction>', 'label map, or probabilities (3-D for one class, 4-D for one map a class)')
    .argument('<reference>', 'label map on the same grid')
    .option(
      '--labels <labels...>',
      'labels to score; a plus joins labels to one region: 1 2 1+2. For a 4-D prediction, what each of its maps is',
      (text: string, before: readonly Region[] | undefined) => [...(before ?? []), parseRegion(text)],
    )
    .option('--at <threshold>', "where probabilities are cut; 'auto' for each map's own t*", parseThreshold, 0.5)
    .option(
      '--scale <number>',
      'what stands for probability 1 in the prediction',
      realNumber('--scale', (s) => s > 0, 'greater than 0'),
    )
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice evaluate mask.nii.gz reference.nii.gz
  $ halfdice evaluate prob.nii.gz reference.nii.gz --at auto                 cut at t*, and calibration
  $ halfdice evaluate organs_prob.nii.gz organs.nii.gz --labels 1 2 1+2      three maps: label 1, label 2, and both

Conventions: Dice and IoU are 1 where prediction and reference are both empty, 0 where one is; surface distances then do
not exist. Surfaces are voxels with a neighbour (of 6) outside; distances run between voxel centres. ECE has 15 bins and,
like Brier, counts all voxels of the image: compare them between maps of the same image.`,
    )
    .action(run)
  return withJson(command)
}

async function run(predictionPath: string, referencePath: string, options: Options): Promise<void> {
  const prediction = await readVolume(predictionPath)
  const reference = await readVolume(referencePath)
  const difference = gridDifference(prediction.grid, reference.grid)
  if (difference !== undefined) {
    throw new InputError(
      predictionPath,
      `lies on another grid than ${referencePath} (${difference}); resample one to the other`,
    )
  }
  const truth = labelMapOf(reference, referencePath)
  const names = labelNamesFor(referencePath)
  const soft = prediction.channels > 1 || options.scale !== undefined || !holdsLabels(prediction)
  const scores = soft
    ? scoreProbabilities(prediction, predictionPath, truth, referencePath, names, options)
    : scoreLabels(labelMapOf(prediction, predictionPath), truth, reference.grid, names, options.labels)
  const result = {
    prediction: predictionPath,
    reference: referencePath,
    labels: Object.fromEntries(
      scores.map(([key, { probabilities, ...score }]) => [key, { ...score, ...probabilities }]),
    ),
  }
  printResult(options.json, result, () => describe(scores, predictionPath, referencePath))
}

type Scores = readonly (readonly [key: string, score: Score])[]
interface Labels {
  readonly values: LabelArray
  readonly labels: readonly number[]
}

function scoreLabels(
  predicted: Labels,
  truth: Labels,
  grid: Grid,
  names: LabelNames,
  wanted: readonly Region[] | undefined,
): Scores {
  if (wanted === undefined) {
    return evaluateLabels(predicted.values, truth.values, grid).map((scores) => {
      const region = parseRegion(String(scores.label))
      return [region.key, { ...nameOf(region, names), ...scoreOf(scores) }]
    })
  }
  return wanted.map((region) => {
    const score = scoreMasks(maskOf(predicted.values, region), maskOf(truth.values, region), grid)
    return [region.key, { ...nameOf(region, names), ...score }]
  })
}

function scoreProbabilities(
  prediction: Volume,
  predictionPath: string,
  truth: Labels,
  referencePath: string,
  names: LabelNames,
  { labels: wanted, at, scale }: Options,
): Scores {
  const { grid, channels } = prediction
  const foreground = truth.labels.filter((label) => label !== 0)
  const regions = wanted ?? foreground.map((label) => parseRegion(String(label)))
  if (regions.length !== channels || (wanted === undefined && channels > 1)) {
    const maps = channels === 1 ? 'one map of probabilities' : `${channels} maps of probabilities`
    const labels = wanted ? `--labels names ${wanted.length}` : `${referencePath} holds ${truth.labels.join(', ')}`
    throw new InputError(predictionPath, `has ${maps}, ${labels}; say with --labels which label each map is`)
  }
  const all = probabilitiesOf(prediction, predictionPath, scale === undefined ? {} : { scale })
  const n = voxelCount(grid)
  return regions.map((region, channel) => {
    const m = all.subarray(channel * n, (channel + 1) * n)
    const threshold = at === 'auto' ? softDiceOptimum(m).threshold : at
    const label = maskOf(truth.values, region)
    const { ece, brier } = calibration(m, label)
    const probabilities = { threshold, expectedDice: softDiceAt(m, threshold).dice, ece, brier }
    return [
      region.key,
      { ...nameOf(region, names), ...scoreMasks(thresholdMask(m, threshold), label, grid), probabilities },
    ]
  })
}

function scoreMasks(predicted: Uint8Array, truth: Uint8Array, grid: Grid): Score {
  return scoreOf(evaluateLabels(predicted, truth, grid, { labels: [1] })[0])
}

function scoreOf({ dice, iou, volumePredMl, volumeRefMl, hd95Mm, meanMm, hdMm }: LabelScores): Score {
  return { dice, iou, volumePredMl, volumeRefMl, hd95Mm, meanSurfaceDistanceMm: meanMm, hausdorffMm: hdMm }
}

function maskOf(values: LabelArray, { members }: Region): Uint8Array {
  const mask = new Uint8Array(values.length)
  if (members.size === 1) {
    const [label] = members
    for (let i = 0; i < mask.length; i++) mask[i] = values[i] === label ? 1 : 0
  } else {
    for (let i = 0; i < mask.length; i++) mask[i] = members.has(values[i]) ? 1 : 0
  }
  return mask
}

function parseRegion(text: string): Region {
  const parts = text.split('+').map((part) => part.trim())
  if (!parts.every((part) => /^-?\d+$/.test(part))) {
    throw new InputError('--labels', `'${text}' is no label; write whole numbers, joined by + to one region: 1 2 1+2`)
  }
  const members = parts.map(Number)
  return { key: members.join('+'), members: new Set(members) }
}

function parseThreshold(text: string): number | 'auto' {
  if (text === 'auto') return text
  return realNumber('--at', (t) => t > 0 && t <= 1, "greater than 0 and at most 1, nor 'auto'")(text)
}

function nameOf({ members }: Region, names: LabelNames): { name?: string } {
  const known = [...members].map((label) => names(label))
  return known.every((name) => name !== undefined) ? { name: known.join(' + ') } : {}
}

function describe(scores: Scores, prediction: string, reference: string): string {
  const named = scores.some(([, { name }]) => name !== undefined)
  const soft = scores.some(([, { probabilities }]) => probabilities !== undefined)
  const header = [
    'label',
    ...(named ? ['name'] : []),
    ...(soft ? ['cut at'] : []),
    'Dice',
    ...(soft ? ['expected'] : []),
    'IoU',
    'ml',
    'reference ml',
    'HD95 mm',
    'mean mm',
    ...(soft ? ['ECE', 'Brier'] : []),
  ]
  const rows = scores.map(([key, { name, probabilities: p, ...score }]) => [
    key,
    ...(named ? [name ?? ''] : []),
    ...(soft ? [fixed(p?.threshold, 4)] : []),
    fixed(score.dice, 4),
    ...(soft ? [fixed(p?.expectedDice, 4)] : []),
    fixed(score.iou, 4),
    millilitres(score.volumePredMl),
    millilitres(score.volumeRefMl),
    fixed(score.hd95Mm, 2),
    fixed(score.meanSurfaceDistanceMm, 2),
    ...(soft ? [fixed(p?.ece, 5), fixed(p?.brier, 5)] : []),
  ])
  const what = scores.length === 0 ? ': both hold background only' : ''
  return `${prediction} against ${reference}${what}${scores.length === 0 ? '' : `\n\n${table(header, rows)}`}`
}
