import type { CaseObservation } from '../../annotators/observe.ts'
import { type AnnotatorCases, readAnnotatorCase } from '../../datasets/annotator-cases.ts'
import type { CasesFit, LabelFit } from '../../datasets/fit-cases.ts'
import { softDiceOptimum } from '../../decision/soft-dice.ts'
import { writeTextAtomically } from '../../formats/atomic-write.ts'
import { marginalInBox } from '../../noise/marginal.ts'
import { Images } from '../image-under.ts'
import { annotatorSlice } from './annotator-slice.ts'
import type { PageCase, PageLabel, PageOptimum } from './model.ts'
import { annotatorsReport } from './page.ts'

export interface AnnotatorsReportOptions {
  /** The page, ending in .html. */
  readonly report: string
  readonly found: AnnotatorCases
  readonly fitted: CasesFit
  readonly anonymous: boolean
  readonly nameOf: (label: number) => string | undefined
  /** A folder of the images, to draw the outlines over. */
  readonly images?: string | undefined
  readonly version: string
}

/** Pictures of a label, and of a page. */
const [mostOfLabel, mostPictures] = [6, 24]

/** D* changes little from case to case: so many cases tell its mean. */
const mostOptima = 40

/**
 * Writes the page of a fit. The cases that are drawn are read again.
 *
 * @returns what the user should know of the pictures
 */
export async function writeAnnotatorsReport(options: AnnotatorsReportOptions): Promise<readonly string[]> {
  const { report, found, fitted, anonymous, nameOf, images, version } = options
  const under = new Images(images)
  const each = Math.max(1, Math.min(mostOfLabel, Math.floor(mostPictures / Math.max(1, fitted.labels.length))))
  const labels: PageLabel[] = []
  for (const one of fitted.labels) {
    const name = nameOf(one.label)
    const cases = rankedCases(one.observations, found.annotators)
    const drawn: PageLabel['drawn'][number][] = []
    for (const worst of cases.filter(({ dice }) => dice !== undefined).slice(0, each)) {
      const files = found.cases.find((each) => each.name === worst.case)
      if (files === undefined) continue
      const { maps, grid, annotators } = await readAnnotatorCase(files)
      const names = annotators.map((r) => found.annotators[r])
      const slice = annotatorSlice(maps, names, grid, one.label)
      drawn.push({ case: worst, slice: { ...slice, image: await under.under(worst.case, slice.slice) } })
    }
    labels.push({
      title: name === undefined ? `Label ${one.label}` : `Label ${one.label} (${name})`,
      fit: one.fit,
      reason: one.reason,
      cases,
      optimum: optimumOf(one),
      drawn,
    })
  }
  const failures = fitted.failed.map(({ error }) => error.message)
  const page = annotatorsReport({ annotators: found.annotators, anonymous, labels, failures, version })
  await writeTextAtomically(report, page)
  return under.warnings
}

/** Those who agree least first; cases that one annotator drew last. */
function rankedCases(observations: readonly CaseObservation[], annotators: readonly string[]): PageCase[] {
  return observations
    .map(({ case: name, present, pairs, volumesMl }): PageCase => {
      const distances = pairs.flatMap(({ hd95Mm }) => hd95Mm ?? [])
      return {
        case: name,
        present: present.map((r) => annotators[r]),
        dice: meanOf(pairs.map(({ dice }) => dice)),
        hd95Mm: meanOf(distances),
        leastMl: Math.min(...volumesMl),
        mostMl: Math.max(...volumesMl),
      }
    })
    .sort((a, b) => (a.dice ?? 2) - (b.dice ?? 2) || (a.case < b.case ? -1 : 1))
}

/** What the fitted noise leaves to reach, from the masks in the middle. */
function optimumOf({ fit, observations }: LabelFit): PageOptimum | undefined {
  const noise = fit?.noise
  const outlined = observations.flatMap(({ outlines }) => outlines ?? []).slice(0, mostOptima)
  if (noise === undefined || outlined.length === 0) return undefined
  const optima = outlined.flatMap(({ grid, middle }) => {
    const m = marginalInBox(middle, grid, 1, noise)
    return m ? [softDiceOptimum(m.data)] : []
  })
  const mean = (of: (each: (typeof optima)[number]) => number) => meanOf(optima.map(of)) ?? 0
  return {
    cases: optima.length,
    supDice: mean(({ supDice }) => supDice),
    threshold: mean(({ threshold }) => threshold),
    diceAtHalf: mean(({ diceAtHalf }) => diceAtHalf),
    emptyDice: 1 - (noise.presence ?? 1),
  }
}

function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0) / values.length
}
