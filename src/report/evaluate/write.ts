import { basename, resolve } from 'node:path'
import { writeTextAtomically } from '../../formats/atomic-write.ts'
import type { CohortEvaluation } from '../../maps/evaluate/evaluate-cohort.ts'
import type { EvaluateFilesOptions } from '../../maps/evaluate/evaluate-files.ts'
import { masksOfFiles } from '../../maps/evaluate/masks-of-files.ts'
import type { Versus } from '../../maps/evaluate/versus.ts'
import { Images } from '../image-under.ts'
import { errorSlice } from './error-slice.ts'
import { pageScores, pageVersus } from './from-cohort.ts'
import { mostDifferent, type PageScores, type PageVersus, worstCases } from './model.ts'
import { type DrawnCase, evaluationReport } from './page.ts'

/** An evaluation, and where its page goes. */
export interface EvaluationReportOptions {
  /** The page, ending in .html. */
  readonly report: string
  readonly evaluation: CohortEvaluation
  /** The other prediction, and how the two compare. */
  readonly versus?:
    | { readonly path: string; readonly evaluation: CohortEvaluation; readonly compared: Versus }
    | undefined
  /** The folders, files or patterns that were compared. */
  readonly predictions: string
  readonly references: string
  /** A folder of the images, to draw the masks over. */
  readonly images?: string | undefined
  /** What the scores were asked with. */
  readonly scoring: EvaluateFilesOptions
  /** How cases without a prediction are counted. */
  readonly missing: 'skip' | 'empty'
  /** The program's version, for the page's foot. */
  readonly version: string
}

/** Pictures of a page, at most so many for the worst cases, and as many for the differences. */
const mostPictures = 24
/** Pictures of one label. */
const mostOfLabel = 4

/**
 * Writes the page of an evaluation. The files of the cases that are drawn are read again.
 *
 * @returns what the user should know of the pictures
 */
export async function writeEvaluationReport(options: EvaluationReportOptions): Promise<readonly string[]> {
  const { report, evaluation, predictions, references, images, scoring, version } = options
  const [name, otherName] = namesApart(predictions, options.versus?.path)
  const scores = pageScores(name, evaluation)
  const versus = options.versus && pageVersus(otherName, evaluation, options.versus.evaluation, options.versus.compared)
  const under = new Images(images)
  const others = new Map(options.versus?.evaluation.cases.map((one) => [one.case, one]))
  const draw = async (index: number, label: number, withOther: boolean): Promise<DrawnCase[]> => {
    const { case: caseName, prediction, reference, scores: own } = evaluation.cases[index]
    if (prediction === undefined) return []
    const masks = await masksOfFiles({ prediction, reference }, own[label], label, scoring)
    const theirs = withOther ? others.get(caseName) : undefined
    const theirScore = theirs?.scores.find((score) => score.label === own[label].label)
    const other =
      theirs?.prediction !== undefined && theirScore
        ? (await masksOfFiles({ ...theirs, prediction: theirs.prediction }, theirScore, label, scoring)).prediction
        : undefined
    const slice = errorSlice({ ...masks, other })
    return [{ index, label, slice: { ...slice, image: await under.under(caseName, slice.slice) } }]
  }
  const worst: DrawnCase[] = []
  for (const { label, cases } of chosen(scores, (l, n) => worstCases(scores, l, n))) {
    for (const index of cases) worst.push(...(await draw(index, label, false)))
  }
  const different: DrawnCase[] = []
  for (const { label, cases } of versus ? chosen(scores, (l, n) => mostDifferent(scores, versus.other, l, n)) : []) {
    for (const index of cases) different.push(...(await draw(index, label, true)))
  }
  const page = evaluationReport({
    scores,
    versus,
    worst,
    different,
    missing: { cases: evaluation.missing.map((one) => one.name), rule: options.missing },
    unpaired: evaluation.unpaired.map((one) => one.name),
    failures: evaluation.failures.map(({ error }) => error.message),
    conventions: conventionsOf(options, versus),
    reference: basename(resolve(references)),
    version,
  })
  await writeTextAtomically(report, page)
  return under.warnings
}

/** The labels that are drawn, those of the lowest mean Dice where there are many, each with its cases. */
function chosen(scores: PageScores, find: (label: number, count: number) => number[]) {
  const dice = scores.metrics.findIndex(({ key }) => key === 'dice')
  const mean = (l: number) => scores.means[l]?.[dice]?.mean ?? 1
  const labels = [...scores.labels.keys()]
  const each = Math.max(1, Math.min(mostOfLabel, Math.floor(mostPictures / Math.max(1, labels.length))))
  const shown = labels.toSorted((a, b) => mean(a) - mean(b) || a - b).slice(0, Math.floor(mostPictures / each))
  return shown.toSorted((a, b) => a - b).map((label) => ({ label, cases: find(label, each) }))
}

/** Both predictions by the ends of their paths, or by their whole paths where these end alike. */
function namesApart(first: string, second: string | undefined): [string, string] {
  const [a, b] = [first, second ?? ''].map((path) => basename(resolve(path)))
  return a === b ? [first, second ?? ''] : [a, b]
}

function conventionsOf({ scoring, missing }: EvaluationReportOptions, versus: PageVersus | undefined): string[] {
  const { distances = 'voxel', tolerancesMm, lesions } = scoring
  return [
    'Dice and IoU are 1 where prediction and reference are both empty, 0 where one is; surface distances then do not ' +
      'exist, and count in no mean.',
    distances === 'area'
      ? 'Surfaces are elements between voxels, weighted by their area (google-deepmind/surface-distance).'
      : 'Surfaces are voxels with a neighbour (of 6) outside; distances run between voxel centres (MONAI).',
    'HD95 is the larger of the two directed 95th percentiles, ASSD the mean over both surfaces. NSD, the normalised ' +
      `surface Dice, is the share of both surfaces within a tolerance of the other${
        tolerancesMm === undefined ? '' : ` (here ${tolerancesMm.join(', ')} mm)`
      }.`,
    'Volume differences are prediction minus reference; relative ones are shares of the reference.',
    ...(lesions === undefined
      ? []
      : [
          `Lesions are connected components (${lesions.connectivity ?? 26} neighbours); they are matched ` +
            (lesions.matching === 'overlap'
              ? 'by any voxel in common.'
              : `one to one, where their IoU exceeds ${lesions.minIou ?? 0.5}.`),
        ]),
    missing === 'empty'
      ? 'A case without a prediction is scored as an empty prediction.'
      : 'A case without a prediction is left out of all means, as by nnU-Net; --missing empty counts it.',
    ...(versus
      ? ['Better and worse are said of the first prediction; the difference is the first minus the second.']
      : []),
    'Slices are shown as radiologists look at them: the patient’s right is on the left. Outlines run along the ' +
      'borders of voxels.',
  ]
}
