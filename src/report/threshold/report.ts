import type { ReviewRow, ThresholdReview } from '../../maps/review.ts'
import { type Block, htmlReport, type ReportSection } from '../kit/html.ts'
import { slicePanels } from '../kit/slices.ts'
import type { Table } from '../kit/table.ts'
import { counted, range } from '../kit/words.ts'
import { type ChangeSlice, changePanel } from './change-slices.ts'
import { mean, referenceSection, verdict } from './references.ts'

export interface ThresholdReport {
  readonly review: ThresholdReview
  readonly slices: readonly ChangeSlice[]
  /** What could not be done, and why. */
  readonly failures: readonly string[]
  readonly scope: 'case' | 'dataset'
  readonly version: string
}

/**
 * The report of `halfdice threshold`: what changed, what it promises, where not to trust it, and what references say.
 */
export function thresholdReport({ review, slices, failures, scope, version }: ThresholdReport): string {
  const { rows, comparisons } = review
  return htmlReport({
    title: 'Dice-optimal masks: what changed, and where to look',
    summary: summaryOf(review, failures),
    sections: [
      ...(failures.length > 0 ? [failedSection(failures)] : []),
      changedSection(rows, slices),
      ...(comparisons.length > 0 ? [referenceSection(comparisons, rows)] : []),
      classSection(rows),
      {
        title: 'All masks',
        blocks: [
          {
            kind: 'details',
            summary: `${counted(rows.length, 'mask')}, those that changed most first`,
            blocks: [allTable(rows)],
          },
        ],
      },
      notesSection(scope, comparisons.length > 0),
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
  ] as const
  return {
    columns: keys.map((key) => ({ key })),
    rows: rows.map((row) => ({ ...row, present: row.present ? 'yes' : 'no', flags: row.flags.join('; ') })),
  }
}

function summaryOf({ rows, common, comparisons }: ThresholdReview, failures: readonly string[]): string[] {
  const cases = new Set(rows.map((row) => row.case)).size
  const flagged = rows.filter((row) => row.flags.length > 0).length
  const shown = rows.filter((row) => row.present && row.volumeMl > 0)
  const gain = mean(shown.map((row) => row.softDice - row.diceAtHalf))
  const lines = [
    `${counted(cases, 'case')}, ${counted(rows.length, 'mask')}. By the probabilities' own account, ` +
      `cutting at t* = D*⁄2 instead of ½ raises the expected (soft) Dice by ${gain.toFixed(4)} on ` +
      'average; the masks agree with the ½ cut to a Dice of ' +
      `${mean(shown.map((row) => row.agreement)).toFixed(3)}.`,
    `${flagged === 0 ? 'No mask is' : flagged === 1 ? 'One mask is' : `${flagged} masks are`} ` +
      'flagged for a look before ' +
      `use${reasonsOf(rows)}${failures.length > 0 ? `; ${counted(failures.length, 'case')} could not be done` : ''}.`,
  ]
  if (common.length > 0) {
    const list = common.map(({ class: name, reason, masks, of }) => `${name} ${reason} (${masks} of ${of})`)
    lines.push(`Too common in its class to single masks out, and so not flagged: ${list.join('; ')}.`)
  }
  for (const { class: name, comparison } of comparisons) lines.push(verdict(name, comparison))
  const overconfident = comparisons.filter(({ comparison }) => comparison.calibrationError.raw > 0.1)
  if (overconfident.length > 0) {
    const list = overconfident
      .map((each) => `${each.class} ${each.comparison.calibrationError.raw.toFixed(2)}`)
      .join(', ')
    lines.push(
      `These probabilities are far from what the references say (calibration error ${list}): neither ` +
        'the Dice that they promise nor their own t* can be relied on.',
    )
  }
  return lines
}

/** Flags that carry numbers, in the plural. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/^left out/, 'left out'],
  [/^promises/, 'promise a Dice below 0.7'],
  [/expected volume$/, 'more than 1.5 times the expected volume'],
  [/^unusual size/, 'of unusual size'],
  [/other classes$/, 'lost voxels to other classes'],
  [/^differs sharply/, 'differ sharply from the ½ cut'],
  [/^cut at ½/, 'cut at ½ because of a haze'],
]

/** Why masks are flagged, the commonest reason first, without each mask's own numbers. */
function reasonsOf(rows: readonly ReviewRow[]): string {
  const counts = new Map<string, number>()
  for (const flag of rows.flatMap((row) => row.flags)) {
    const reason = reasons.find(([pattern]) => pattern.test(flag))?.[1] ?? flag
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  if (counts.size === 0) return ''
  const sorted = [...counts].sort((a, b) => b[1] - a[1])
  return `: ${sorted.map(([reason, count]) => `${reason} (${count})`).join(', ')}`
}

function failedSection(failures: readonly string[]): ReportSection {
  return {
    title: 'Cases that could not be done',
    blocks: [{ kind: 'list', items: failures }],
  }
}

function changedSection(rows: readonly ReviewRow[], slices: readonly ChangeSlice[]): ReportSection {
  const most = rows.filter((row) => row.agreement < 1).slice(0, 20)
  const blocks: Block[] = [
    {
      kind: 'text',
      text:
        'Masks are compared with the usual cut at ½. A mask that changed much is not a mask that is ' +
        'wrong: look whether what was added is plausible.',
    },
    {
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
          { key: 'threshold', title: 't*' },
          { key: 'near', title: 'within 0.01' },
          { key: 'diceAtHalf', title: 'soft Dice at ½' },
          { key: 'softDice', title: 'soft Dice at t*' },
          { key: 'volumeHalfMl', title: 'ml at ½', decimals: 2 },
          { key: 'volumeMl', title: 'ml', decimals: 2 },
          { key: 'flags', title: 'look at' },
        ],
        rows: most.map((row) => ({
          ...row,
          present: undefined,
          threshold: row.present ? (row.threshold ?? 'argmax') : 'absent',
          near: nearOf(row),
          flags: row.flags.join('; '),
        })),
      },
    },
  ]
  if (slices.length > 0) {
    blocks.push({
      kind: 'figure',
      caption:
        'The slice on which each mask changed most. Colours: probability. Where both lines coincide, ' +
        'the threshold does not matter.',
      svgs: [
        slicePanels({
          panels: slices.map(changePanel),
          columns: Math.min(4, slices.length),
          heatLabel: 'probability',
          description: 'Slices of the masks that changed most, with the contours of the cut at one half and at t*.',
        }),
      ],
    })
  }
  return { title: 'What changed', blocks }
}

function mostText(n: number): string {
  if (n === 0) return 'No mask changed.'
  return n === 1 ? 'The mask that changed.' : `The ${n} masks that changed most.`
}

function classSection(rows: readonly ReviewRow[]): ReportSection {
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
            { key: 'threshold', title: 'mean t*' },
            { key: 'supDice', title: 'mean D*' },
            { key: 'diceAtHalf', title: 'soft Dice at ½' },
            { key: 'softDice', title: 'soft Dice at t*' },
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

function allTable(rows: readonly ReviewRow[]): Block {
  return {
    kind: 'table',
    name: 'masks',
    caption: 'Every mask. Volumes in ml.',
    table: {
      columns: [
        { key: 'case' },
        { key: 'class' },
        { key: 'threshold', title: 't*' },
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
        { key: 'flags', title: 'look at' },
      ],
      rows: rows.map((row) => ({
        ...row,
        present: undefined,
        threshold: row.present ? (row.threshold ?? 'argmax') : 'absent',
        flags: row.flags.join('; '),
      })),
    },
  }
}

function notesSection(scope: 'case' | 'dataset', compared: boolean): ReportSection {
  return {
    title: 'How to read this',
    blocks: [
      {
        kind: 'list',
        items: [
          'D*, the sup-Dice, is the largest soft Dice 2Σs·p/(‖s‖+‖p‖) that any mask s of a map p reaches; the mask ' +
            '{p ≥ t*} with t* = D*⁄2 reaches it. These numbers are what the probabilities promise: they are only as ' +
            'good as the network is calibrated.',
          scope === 'case'
            ? 'Each map has its own threshold.'
            : 'All cases of a class share one threshold, the best for their pooled voxels.',
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
