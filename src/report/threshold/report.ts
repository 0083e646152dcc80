import type { ReviewRow, ThresholdReview } from '../../maps/review.ts'
import { type Block, htmlReport, type ReportSection } from '../kit/html.ts'
import { sliceLegend } from '../kit/slices.ts'
import type { Table } from '../kit/table.ts'
import { counted, range } from '../kit/words.ts'
import { type ChangeSlice, changePanel, changePicture } from './change-slices.ts'
import { mean, referenceSection } from './references.ts'
import { casesOf, summaryOf, whyOf } from './summary.ts'

export interface ThresholdReport {
  readonly review: ThresholdReview
  readonly slices: readonly ChangeSlice[]
  /** What could not be done, and why. */
  readonly failures: readonly string[]
  readonly scope: 'case' | 'dataset'
  /** How masks were made that were not cut at t*, in words; undefined where they were. */
  readonly otherwise?: string | undefined
  readonly version: string
}

/**
 * The report of `halfdice threshold`: what changed, what it promises, where not to trust it, and what references say.
 */
export function thresholdReport(report: ThresholdReport): string {
  const { review, slices, failures, scope, otherwise, version } = report
  const isOptimal = otherwise === undefined
  const { rows, comparisons } = review
  return htmlReport({
    title: 'Dice-optimal masks: what changed, and where to look',
    summary: summaryOf(review, failures, otherwise),
    sections: [
      ...(failures.length > 0 ? [failedSection(failures)] : []),
      lookSection(rows, slices, isOptimal),
      ...(comparisons.length > 0 ? [referenceSection(comparisons, rows)] : []),
      classSection(rows, isOptimal),
      {
        title: 'All masks',
        blocks: [
          {
            kind: 'details',
            summary: 'The masks that changed most',
            blocks: [changedTable(rows, isOptimal)],
          },
          {
            kind: 'details',
            summary: `All ${counted(rows.length, 'mask')}, those that need a look most first`,
            blocks: [allTable(rows, isOptimal)],
          },
        ],
      },
      notesSection(otherwise ?? scopes[scope], comparisons.length > 0),
    ],
    footer: [
      `Made by halfdice ${version} with the command: halfdice threshold … --report.`,
      'Soft Dice and its optimal threshold: Nordström, Hult and Maki, Marginal Thresholding in Noisy ' +
        'Image Segmentation, arXiv 2304.04116.',
    ],
  })
}

/** Every row with all digits, for a spreadsheet. */
export function reviewTable(rows: readonly ReviewRow[]): Table {
  const keys = [
    'case',
    'class',
    'threshold',
    'present',
    'largest',
    'supDice',
    'softDice',
    'diceAtHalf',
    'agreement',
    'volumeMl',
    'volumeHalfMl',
    'expectedMl',
    'nearLow',
    'nearHigh',
    'lost',
    'referenceDice',
    'referenceDiceAtHalf',
    'flags',
    'deviation',
    'reason',
  ] as const
  return {
    columns: keys.map((key) => ({ key })),
    rows: rows.map(({ concern, ...row }) => ({
      ...row,
      present: row.present ? 'yes' : 'no',
      flags: row.flags.join('; '),
      deviation: concern.score,
      reason: concern.reason,
    })),
  }
}

function failedSection(failures: readonly string[]): ReportSection {
  return {
    title: 'Cases that could not be done',
    blocks: [{ kind: 'list', items: failures }],
  }
}

/** Rows of the table of all masks: with more, a page is slow to open. */
const rowsShown = 2000

/** Cases that need a look most, at most so many; the rest are in the table of all. */
const casesShown = 15

function lookSection(rows: readonly ReviewRow[], slices: readonly ChangeSlice[], isOptimal: boolean): ReportSection {
  const cases = casesOf(rows).slice(0, casesShown)
  const withReference = rows.some((row) => row.referenceDice !== undefined)
  const blocks: Block[] = [
    {
      kind: 'text',
      text:
        'Cases are ranked by how much they need a look: by flags, and by how far their most unusual mask lies from ' +
        'the others of its class, in robust standard deviations of the measure that sets it apart most ' +
        `(${withReference ? 'reference Dice, ' : ''}promised Dice, agreement with the cut at ½, size, voxels lost to ` +
        'other classes). In a class of fewer than eight cases, nobody can say what is usual: there the masks that ' +
        'changed most come first. A mask that changed much is not a mask that is wrong.',
    },
    {
      kind: 'table',
      name: 'look-first',
      caption: `${cases.length === 1 ? 'The case' : `The first ${cases.length} cases`} to look at, by the worst mask.`,
      table: {
        columns: [
          { key: 'case' },
          { key: 'class', title: 'worst class' },
          { key: 'why' },
          { key: 'score', title: 'deviation', decimals: 1 },
          { key: 'threshold', title: cutTitle(isOptimal) },
          { key: 'softDice', title: 'soft Dice' },
          { key: 'agreement', title: 'Dice with ½ cut' },
          { key: 'volumeHalfMl', title: 'ml at ½', decimals: 2 },
          { key: 'volumeMl', title: 'ml', decimals: 2 },
          ...(withReference ? [{ key: 'referenceDice', title: 'reference Dice' }] : []),
        ],
        rows: cases.map(([row]) => ({ ...cellsOf(row), score: row.concern.score })),
      },
    },
  ]
  if (slices.length > 0) {
    const panels = slices.map((slice) => changePanel(slice, isOptimal))
    const over = slices.some((slice) => slice.image === undefined)
    const legend = sliceLegend({ panels, ...(over && { heatLabel: 'probability' }) })
    blocks.push({
      kind: 'gallery',
      caption:
        'The masks that need a look most, each on the slice on which it changed most. Where both lines coincide, the ' +
        'threshold does not matter.',
      pictures: slices.map((slice) => changePicture(slice, isOptimal)),
      ...(legend !== undefined && { legend }),
    })
  }
  return { title: 'Where to look first', blocks }
}

function changedTable(rows: readonly ReviewRow[], isOptimal: boolean): Block {
  const most = rows
    .filter((row) => row.agreement < 1)
    .toSorted((a, b) => a.agreement - b.agreement)
    .slice(0, 20)
  return {
    kind: 'table',
    name: 'most-changed',
    caption:
      `${mostText(most.length)} “within 0.01” are the thresholds whose soft Dice comes within 0.01 ` +
      'of the best: if ½ is among them, the choice hardly matters.',
    table: {
      columns: [
        { key: 'case' },
        { key: 'class' },
        { key: 'agreement', title: 'Dice with ½ cut' },
        { key: 'threshold', title: cutTitle(isOptimal) },
        { key: 'near', title: 'within 0.01' },
        { key: 'diceAtHalf', title: 'soft Dice at ½' },
        { key: 'softDice', title: isOptimal ? 'soft Dice at t*' : 'soft Dice here' },
        { key: 'volumeHalfMl', title: 'ml at ½', decimals: 2 },
        { key: 'volumeMl', title: 'ml', decimals: 2 },
      ],
      rows: most.map((row) => ({ ...cellsOf(row), near: nearOf(row) })),
    },
  }
}

/** A row as tables show it. */
function cellsOf(row: ReviewRow) {
  const { concern: _, flags: __, present, threshold, ...rest } = row
  return { ...rest, threshold: present ? (threshold ?? 'argmax') : 'absent', why: whyOf(row) }
}

function mostText(n: number): string {
  if (n === 0) return 'No mask changed.'
  return n === 1 ? 'The mask that changed.' : `The ${n} masks that changed most.`
}

function classSection(rows: readonly ReviewRow[], isOptimal: boolean): ReportSection {
  const names = [...new Set(rows.map((row) => row.class))]
  return {
    title: 'By class',
    blocks: [
      {
        kind: 'table',
        name: 'classes',
        caption: 'Means over the cases in which a class has a mask.',
        table: {
          columns: [
            { key: 'class' },
            { key: 'masks', decimals: 0 },
            { key: 'absent', decimals: 0 },
            { key: 'flagged', decimals: 0 },
            { key: 'threshold', title: isOptimal ? 'mean t*' : 'mean cut' },
            { key: 'supDice', title: 'mean D*' },
            { key: 'diceAtHalf', title: 'soft Dice at ½' },
            { key: 'softDice', title: isOptimal ? 'soft Dice at t*' : 'soft Dice here' },
            { key: 'half', title: 'volume at ½ / expected', decimals: 2 },
            { key: 'ratio', title: 'volume / expected', decimals: 2 },
          ],
          rows: names.map((name) => {
            const all = rows.filter((row) => row.class === name)
            const shown = all.filter((row) => row.present && row.volumeMl > 0)
            return {
              class: name,
              masks: shown.length,
              absent: all.filter((row) => !row.present).length,
              flagged: all.filter((row) => row.flags.length > 0).length,
              threshold: mean(shown.flatMap((row) => row.threshold ?? [])),
              supDice: mean(shown.map((row) => row.supDice)),
              diceAtHalf: mean(shown.map((row) => row.diceAtHalf)),
              softDice: mean(shown.map((row) => row.softDice)),
              half: mean(shown.map((row) => row.volumeHalfMl / row.expectedMl)),
              ratio: mean(shown.map((row) => row.volumeMl / row.expectedMl)),
            }
          }),
        },
      },
    ],
  }
}

function allTable(rows: readonly ReviewRow[], isOptimal: boolean): Block {
  return {
    kind: 'table',
    name: 'masks',
    caption:
      rows.length > rowsShown
        ? `The first ${rowsShown} masks; all ${rows.length} are in the CSV file beside this page. Volumes in ml.`
        : 'Every mask. Volumes in ml.',
    table: {
      columns: [
        { key: 'case' },
        { key: 'class' },
        { key: 'threshold', title: cutTitle(isOptimal) },
        { key: 'supDice', title: 'D*' },
        { key: 'diceAtHalf', title: 'soft Dice at ½' },
        { key: 'softDice', title: 'soft Dice' },
        { key: 'agreement', title: 'Dice with ½ cut' },
        { key: 'volumeHalfMl', title: 'ml at ½', decimals: 2 },
        { key: 'volumeMl', title: 'ml', decimals: 2 },
        ...(rows.some((row) => row.referenceDice !== undefined)
          ? [
              { key: 'referenceDiceAtHalf', title: 'reference Dice at ½' },
              { key: 'referenceDice', title: 'reference Dice' },
            ]
          : []),
        { key: 'why' },
      ],
      rows: rows.slice(0, rowsShown).map(cellsOf),
    },
  }
}

const cutTitle = (isOptimal: boolean) => (isOptimal ? 't*' : 'cut at')

/** How masks are cut at t*. */
const scopes = {
  case: 'each map has its own threshold',
  dataset: 'all cases of a class share one threshold, the best for their pooled voxels',
} as const

function notesSection(how: string, compared: boolean): ReportSection {
  return {
    title: 'How to read this',
    blocks: [
      {
        kind: 'list',
        items: [
          'D*, the sup-Dice, is the largest soft Dice 2Σs·p/(‖s‖+‖p‖) that any mask s of a map p reaches; the mask ' +
            '{p ≥ t*} with t* = D*⁄2 reaches it. These numbers are what the probabilities promise: they are only as ' +
            'good as the network is calibrated.',
          `How these masks were made: ${how}.`,
          'A class is left out of a case where its map promises next to nothing (D* below 0.1), is a haze over most ' +
            'of the image, or adds up to far less than in the other cases; a mask kept without a voxel of ½ is named ' +
            'on standard error.',
          'Expected volume is the sum of the probabilities. A Dice-optimal mask is often larger than ' +
            'that; far larger is a warning.',
          ...(compared
            ? []
            : ['With reference masks (--references FOLDER) this report also scores the masks and calibrates.']),
        ],
      },
    ],
  }
}

function nearOf({ nearLow, nearHigh }: ReviewRow): string | undefined {
  return nearLow === undefined || nearHigh === undefined ? undefined : range(nearLow, Math.min(1, nearHigh))
}
