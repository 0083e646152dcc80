import { type Block, htmlReport, type Picture, type ReportSection } from '../kit/html.ts'
import { sliceLegend } from '../kit/slices.ts'
import { counted } from '../kit/words.ts'
import { distributionFigures, versusFigures } from './charts.ts'
import { type ErrorSlice, errorPanel, errorPicture } from './error-slice.ts'
import type { PageScores, PageVersus } from './model.ts'
import { allTable, scoreText, summaryTable, versusTable, worstTable } from './tables.ts'
import { summarySentences, versusSentences } from './words.ts'

/** A slice of a label of a case. */
export interface DrawnCase {
  /** Index of the case and of the label. */
  readonly index: number
  readonly label: number
  readonly slice: ErrorSlice
}

export interface EvaluationPage {
  readonly scores: PageScores
  readonly versus?: PageVersus | undefined
  /** Slices of the worst cases, in the order in which they are shown. */
  readonly worst: readonly DrawnCase[]
  /** Slices of the cases in which the two predictions differ most. */
  readonly different: readonly DrawnCase[]
  /** Cases without a prediction, and whether they are left out of the scores or count as empty predictions. */
  readonly missing: { readonly cases: readonly string[]; readonly rule: 'skip' | 'empty' }
  /** Predictions without a reference. */
  readonly unpaired: readonly string[]
  /** What could not be done, and why. */
  readonly failures: readonly string[]
  /** How the numbers are defined: surfaces, tolerances, lesions. */
  readonly conventions: readonly string[]
  readonly reference: string
  readonly version: string
}

/** Rows of the table of worst cases, a label. */
export const worstShown = 5

/** The report of `halfdice evaluate`: how well a cohort agrees with its references, and where it does not. */
export function evaluationReport(page: EvaluationPage): string {
  const { scores, versus, missing, unpaired, failures, conventions, reference, version } = page
  const absent = missing.cases.length
  return htmlReport({
    title: versus
      ? `${scores.name} and ${versus.other.name} against ${reference}`
      : `${scores.name} against ${reference}`,
    summary: [
      ...summarySentences(scores),
      ...(versus ? versusSentences(scores, versus) : []),
      ...(absent > 0 ? [`${counted(absent, 'case')} without a prediction: see below.`] : []),
      ...(failures.length > 0 ? [`${counted(failures.length, 'case')} could not be scored: see below.`] : []),
    ],
    sections: [
      ...(absent + unpaired.length + failures.length > 0 ? [absentSection(page)] : []),
      {
        title: 'Scores',
        blocks: [
          summaryTable(scores, 'main'),
          distributionFigures(scores),
          { kind: 'details', summary: 'All metrics', blocks: [summaryTable(scores, 'all')] },
        ],
      },
      ...(versus ? [versusSection(page, versus)] : []),
      worstSection(page),
      {
        title: 'All cases',
        blocks: [
          {
            kind: 'details',
            summary: `${counted(scores.cases.length, 'case')}, ${counted(scores.labels.length, 'label')}`,
            blocks: [allTable(scores)],
          },
        ],
      },
      { title: 'How to read this', blocks: [{ kind: 'list', items: [...conventions] }] },
    ],
    footer: [`Made by halfdice ${version} with the command: halfdice evaluate … --report.`],
  })
}

function absentSection({ missing, unpaired, failures }: EvaluationPage): ReportSection {
  const blocks: Block[] = []
  if (missing.cases.length > 0) {
    const rule =
      missing.rule === 'empty'
        ? 'They are scored as empty predictions.'
        : 'They are left out of all means, as nnU-Net does; --missing empty counts them.'
    blocks.push(
      { kind: 'note', tone: 'warning', text: `These cases have a reference but no prediction. ${rule}` },
      { kind: 'list', items: missing.cases },
    )
  }
  if (unpaired.length > 0) {
    blocks.push(
      { kind: 'note', tone: 'warning', text: 'These predictions have no reference of their name and are passed over.' },
      { kind: 'list', items: unpaired },
    )
  }
  if (failures.length > 0) {
    blocks.push(
      { kind: 'note', tone: 'warning', text: 'These cases could not be scored and count in nothing.' },
      { kind: 'list', items: failures },
    )
  }
  return { title: 'Cases without scores of their own', blocks }
}

function worstSection({ scores, worst, versus }: EvaluationPage): ReportSection {
  const names = { prediction: scores.name }
  const blocks: Block[] = [worstTable(scores, worstShown)]
  if (worst.length > 0) {
    const pictures = worst.map(({ index, label, slice }) =>
      errorPicture(
        slice,
        `${scores.cases[index].name}, ${scores.labels[label]}`,
        scoreText(scores, index, label),
        names,
      ),
    )
    blocks.push(
      gallery(
        worst,
        names,
        pictures,
        'The worst cases, each on the slice on which prediction and reference ' +
          'differ most. Letters are the patient’s sides: R and L, A and P (front and back), S and I (head and feet).',
      ),
    )
  }
  return { title: versus ? `Worst cases of ${scores.name}` : 'Worst cases', blocks }
}

function versusSection({ scores, different }: EvaluationPage, versus: PageVersus): ReportSection {
  const { other } = versus
  const names = { prediction: scores.name, other: other.name }
  const blocks: Block[] = [
    versusTable(scores, versus, 'main'),
    versusFigures(scores, versus),
    { kind: 'details', summary: 'All metrics', blocks: [versusTable(scores, versus, 'all')] },
  ]
  if (different.length > 0) {
    const pictures = different.map(({ index, label, slice }) => {
      const both = [scores, other].map((each) => `${each.name}: ${scoreText(each, index, label)}`).join('; ')
      return errorPicture(slice, `${scores.cases[index].name}, ${scores.labels[label]}`, both, names)
    })
    blocks.push(
      gallery(
        different,
        names,
        pictures,
        'The cases in which the two predictions differ most in Dice, each ' + 'on the slice on which they differ most.',
      ),
    )
  }
  return { title: `Against ${other.name}`, blocks }
}

function gallery(
  drawn: readonly DrawnCase[],
  names: { readonly prediction: string; readonly other?: string },
  pictures: readonly Picture[],
  caption: string,
): Block {
  const legend = sliceLegend({ panels: drawn.map(({ slice }) => errorPanel(slice, names)) })
  const ground = drawn.every(({ slice }) => slice.image === undefined)
    ? ' The grey area is the reference; --images FOLDER draws over the images.'
    : ''
  return { kind: 'gallery', caption: caption + ground, pictures, ...(legend !== undefined && { legend }) }
}
