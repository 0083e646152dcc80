import { Command } from 'commander'
import { evaluateFiles } from '../maps/evaluate-files.ts'
import type { CaseScore } from '../metrics/evaluate-case.ts'
import { parseLabels, readLabelNamesFor, withLabels } from './labels.ts'
import { realNumber } from './numbers.ts'
import { type JsonOption, type PresenceOption, withJson, withPresence } from './options.ts'
import { fixed, millilitres, printResult, table, warn } from './print.ts'

interface Options extends JsonOption, PresenceOption {
  readonly labels?: readonly string[]
  readonly at: number | 'auto'
  readonly scale?: number
}

/** `halfdice evaluate`: how a prediction compares with a reference. */
export function command(): Command {
  const what = 'what to score; a plus joins labels (1 2 1+2). For a 4-D prediction, what each of its maps is'
  const command = new Command('evaluate')
    .description(
      'Scores a prediction against a reference, label by label: Dice, IoU, volumes, and the distance of the surfaces ' +
        '(95th percentile and mean, mm). A prediction of probabilities is also scored for calibration (ECE, Brier).',
    )
    .argument('<prediction>', 'label map, or probabilities (3-D for one class, 4-D for one map a class)')
    .argument('<reference>', 'label map on the same grid')
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
not exist. Surfaces are voxels with a neighbour (of 6) outside; distances run between voxel centres. HD95 is the larger
of the two directed 95th percentiles, ASSD the mean over the voxels of both surfaces. Other tools use other conventions
(percentile of both directions together, surfaces weighted by area), which differ by some tenths of a voxel.
Voxels that the reference labels 'ignore' (see its dataset.json) count in no score. ECE has 15 bins and, like Brier,
counts all other voxels of the image: compare them between maps of the same image.`,
    )
    .action(run)
  return withJson(withPresence(withLabels(command, what)))
}

async function run(prediction: string, reference: string, options: Options): Promise<void> {
  const { labels: texts, at, scale, presence, json } = options
  const names = await readLabelNamesFor(reference, 'refuse')
  const labels = texts && parseLabels(texts, names)
  const { scores, notes } = await evaluateFiles(prediction, reference, { labels, at, scale, presence })
  for (const note of notes) warn(note)
  const rows = scores.map(({ labels: own, ...score }): Row => {
    const name = names.of(...own)
    return { key: own.join('+'), ...(name !== undefined && { name }), score }
  })
  const result = {
    prediction,
    reference,
    labels: Object.fromEntries(
      rows.map(({ key, name, score: { probabilities, ...score } }) => [
        key,
        { ...(name !== undefined && { name }), ...score, ...probabilities },
      ]),
    ),
  }
  printResult(json, result, () => describe(rows, prediction, reference))
}

/** A row of the table. */
interface Row {
  readonly key: string
  readonly name?: string
  readonly score: Omit<CaseScore, 'labels'>
}

function parseThreshold(text: string): number | 'auto' {
  if (text === 'auto') return text
  return realNumber('--at', (t) => t > 0 && t <= 1, "greater than 0 and at most 1, nor 'auto'")(text)
}

function describe(rows: readonly Row[], prediction: string, reference: string): string {
  if (rows.length === 0) return `${prediction} against ${reference}: both hold background only`
  const named = rows.some(({ name }) => name !== undefined)
  const soft = rows.some(({ score }) => score.probabilities !== undefined)
  const header = [
    'label',
    ...(named ? ['name'] : []),
    ...(soft ? ['cut at'] : []),
    'Dice',
    ...(soft ? ['soft Dice'] : []),
    'IoU',
    'ml',
    'reference ml',
    'HD95 mm',
    'ASSD mm',
    ...(soft ? ['ECE', 'Brier'] : []),
  ]
  const cells = rows.map(({ key, name, score: { probabilities: p, ...score } }) => [
    key,
    ...(named ? [name ?? ''] : []),
    ...(soft ? [fixed(p?.threshold, 4)] : []),
    fixed(score.dice, 4),
    ...(soft ? [fixed(p?.softDice, 4)] : []),
    fixed(score.iou, 4),
    millilitres(score.volumePredMl),
    millilitres(score.volumeRefMl),
    fixed(score.hd95Mm, 2),
    fixed(score.assdMm, 2),
    ...(soft ? [fixed(p?.ece, 5), fixed(p?.brier, 5)] : []),
  ])
  return `${prediction} against ${reference}\n\n${table(header, cells)}`
}
