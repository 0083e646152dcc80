import { CUTS } from '../metrics/cut-table.ts'
import { METHODS, type Method, type ThresholdComparison } from '../study/threshold-comparison.ts'
import type { ReviewRow, ThresholdReview } from '../study/threshold-review.ts'
import { type ChangeSlice, changePanel } from './change-slices.ts'
import { chart } from './chart.ts'
import { reliabilityDiagram } from './distributions.ts'
import { type Block, htmlReport, type ReportSection } from './html.ts'
import { lineColour, MARKERS } from './palette.ts'
import { slicePanels } from './slices.ts'
import type { Table } from './table.ts'
import { counted } from './words.ts'

const METHOD_NAMES: Readonly<Record<Method, string>> = {
  half: 'cut at ½',
  perCase: 't* of each case',
  calibrated: 't* after calibration',
  fixed: 'single tuned threshold',
}

export interface ThresholdReport {
  readonly review: ThresholdReview
  readonly slices: readonly ChangeSlice[]
  /** What could not be done, and why. */
  readonly failures: readonly string[]
  readonly scope: 'case' | 'dataset'
  readonly version: string
}

/** The report of `halfdice threshold`: what changed, what it promises, where not to trust it, and what references say. */
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
      'Soft Dice and its optimal threshold: Nordström, Hult and Maki, Marginal Thresholding in Noisy Image Segmentation, arXiv 2304.04116.',
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
    'dice',
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

function summaryOf({ rows, comparisons }: ThresholdReview, failures: readonly string[]): string[] {
  const cases = new Set(rows.map((row) => row.case)).size
  const flagged = rows.filter((row) => row.flags.length > 0).length
  const shown = rows.filter((row) => row.present && row.volumeMl > 0)
  const gain = mean(shown.map((row) => row.dice - row.diceAtHalf))
  const lines = [
    `${counted(cases, 'case')}, ${counted(rows.length, 'mask')}. By the probabilities' own account, cutting at t* = D*⁄2 instead of ½ raises the expected (soft) Dice by ${gain.toFixed(4)} on average; the masks agree with the ½ cut to a Dice of ${mean(shown.map((row) => row.agreement)).toFixed(3)}.`,
    `${flagged === 0 ? 'No mask is' : flagged === 1 ? 'One mask is' : `${flagged} masks are`} flagged for a look before use${reasonsOf(rows)}${failures.length > 0 ? `; ${counted(failures.length, 'case')} could not be done` : ''}.`,
  ]
  for (const { class: name, comparison } of comparisons) lines.push(verdict(name, comparison))
  const overconfident = comparisons.filter(({ comparison }) => comparison.calibrationError.raw > 0.1)
  if (overconfident.length > 0) {
    const list = overconfident
      .map((each) => `${each.class} ${each.comparison.calibrationError.raw.toFixed(2)}`)
      .join(', ')
    lines.push(
      `These probabilities are far from what the references say (calibration error ${list}): neither the Dice that they promise nor their own t* can be relied on.`,
    )
  }
  return lines
}

/** Flags that carry numbers, in the plural. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^left out/, 'left out'],
  [/^promises/, 'promise a Dice below 0.7'],
  [/expected volume$/, 'more than 1.5 times the expected volume'],
  [/^unusual size/, 'of unusual size'],
  [/other classes$/, 'lost voxels to other classes'],
  [/^differs sharply/, 'differ sharply from the ½ cut'],
  [/^weak evidence/, 'on weak evidence'],
]

/** Why masks are flagged, the commonest reason first, without each mask's own numbers. */
function reasonsOf(rows: readonly ReviewRow[]): string {
  const counts = new Map<string, number>()
  for (const flag of rows.flatMap((row) => row.flags)) {
    const reason = REASONS.find(([pattern]) => pattern.test(flag))?.[1] ?? flag
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  if (counts.size === 0) return ''
  const sorted = [...counts].sort((a, b) => b[1] - a[1])
  return `: ${sorted.map(([reason, count]) => `${reason} (${count})`).join(', ')}`
}

/** What the references say, in a sentence: only what its interval supports. */
function verdict(name: string, { means, differences }: ThresholdComparison): string {
  const { value, low, high } = differences.perCase
  const interval = `${signed(value)} (95 % interval ${signed(low, 3)} to ${signed(high, 3)})`
  const effect = low > 0 ? 'raises' : high < 0 ? 'lowers' : 'does not clearly change'
  const best = METHODS.reduce((a, b) => (means[b].value > means[a].value ? b : a))
  return `${name}, against references: t* of each case ${effect} the mean Dice, by ${interval} from ${means.half.value.toFixed(4)} at ½. The largest mean, ${means[best].value.toFixed(4)}, is that of the ${METHOD_NAMES[best]}.`
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
      text: 'Masks are compared with the usual cut at ½. A mask that changed much is not a mask that is wrong: look whether what was added is plausible.',
    },
    {
      kind: 'table',
      name: 'most-changed',
      caption: `${mostText(most.length)} “within 0.01” are the thresholds whose soft Dice comes within 0.01 of the best: if ½ is among them, the choice hardly matters.`,
      table: {
        columns: [
          { key: 'case' },
          { key: 'class' },
          { key: 'agreement', title: 'Dice with ½ cut' },
          { key: 'threshold', title: 't*' },
          { key: 'near', title: 'within 0.01' },
          { key: 'diceAtHalf', title: 'soft Dice at ½' },
          { key: 'dice', title: 'soft Dice at t*' },
          { key: 'volumeHalfMl', title: 'ml at ½', decimals: 2 },
          { key: 'volumeMl', title: 'ml', decimals: 2 },
          { key: 'flags', title: 'look at' },
        ],
        rows: most.map((row) => ({
          ...row,
          present: undefined,
          threshold: row.present ? row.threshold : 'absent',
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
        'The slice on which each mask changed most. Colours: probability. Where both lines coincide, the threshold does not matter.',
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

function referenceSection(comparisons: ThresholdReview['comparisons'], masks: readonly ReviewRow[]): ReportSection {
  const rows = comparisons.flatMap(({ class: name, comparison }) =>
    METHODS.map((method) => {
      const { means, differences, cases, fixedThreshold } = comparison
      const difference = method === 'half' ? undefined : differences[method]
      const thresholds = cases.map((scores) => scores[method].threshold).toSorted((a, b) => a - b)
      const middle = thresholds[thresholds.length >> 1]
      return {
        class: name,
        method: METHOD_NAMES[method],
        threshold:
          method === 'fixed'
            ? `${fixedThreshold.value.toFixed(2)} [${range(fixedThreshold.low, fixedThreshold.high)}]`
            : method === 'half'
              ? '0.50'
              : `${middle.toFixed(2)} (${range(thresholds[0], thresholds.at(-1) ?? 0)})`,
        dice: means[method].value,
        diceInterval: `[${range(means[method].low, means[method].high, 3)}]`,
        difference: difference?.value,
        differenceInterval: difference && `[${signed(difference.low, 3)}, ${signed(difference.high, 3)}]`,
        better:
          method === 'half'
            ? undefined
            : `${cases.filter((scores) => scores[method].dice > scores.half.dice + 1e-12).length} of ${cases.length}`,
      }
    }),
  )
  const blocks: Block[] = [
    {
      kind: 'text',
      text: `Masks of one class cut on its own, against the references of ${counted(comparisons[0].comparison.cases.length, 'case')}. Calibration and the tuned threshold of a case were fitted without it (cross-fitted by case), so that the comparison is fair; intervals are 95 % bootstrap intervals over cases, differences are paired.`,
    },
    {
      kind: 'table',
      name: 'methods',
      caption:
        'Four ways to choose the threshold. The threshold of per-case methods is their median and range; of the tuned one its value on all cases and a bootstrap interval.',
      table: {
        columns: [
          { key: 'class' },
          { key: 'method' },
          { key: 'threshold' },
          { key: 'dice', title: 'mean Dice', decimals: 4 },
          { key: 'diceInterval', title: '95 %' },
          { key: 'difference', title: 'minus ½', decimals: 4 },
          { key: 'differenceInterval', title: '95 %' },
          { key: 'better', title: 'better than ½' },
        ],
        rows,
      },
    },
    {
      kind: 'table',
      name: 'calibration',
      caption:
        'Calibration: logit g(p) = a·ln p − b·ln(1 − p) + c; a = b = 1, c = 0 changes nothing. The error (ECE) is over voxels with p ≥ 0.01. Probabilities that need much calibration make their own t* unreliable.',
      table: {
        columns: [
          { key: 'class' },
          { key: 'a', decimals: 2 },
          { key: 'b', decimals: 2 },
          { key: 'c', decimals: 2 },
          { key: 'raw', title: 'ECE as given', decimals: 4 },
          { key: 'calibrated', title: 'ECE calibrated', decimals: 4 },
        ],
        rows: comparisons.map(({ class: name, comparison: { calibration, calibrationError } }) => ({
          class: name,
          ...calibration,
          ...calibrationError,
        })),
      },
    },
  ]
  for (const { class: name, comparison } of comparisons) {
    blocks.push({
      kind: 'figure',
      caption: `${name}: mean Dice against the references by threshold (left), and how often voxels of a given probability are in the reference (right). The band is the interval of the tuned threshold.`,
      svgs: [
        diceByThreshold(name, comparison),
        reliabilityDiagram(
          [
            {
              label: name,
              bins: comparison.reliability.map(({ predicted, observed, voxels }) => ({
                probability: predicted,
                frequency: observed,
                voxels,
              })),
            },
          ],
          { width: 400, height: 300, title: 'Calibration' },
        ),
      ],
    })
  }
  blocks.push({
    kind: 'figure',
    caption:
      'What the probabilities promised (soft Dice of the mask written) and what the reference gave, one dot a case. Below the diagonal the map promised too much; far from it, do not rely on the promise.',
    svgs: [promiseChart(comparisons, masks)],
  })
  return { title: 'Against the references', blocks }
}

function promiseChart(comparisons: ThresholdReview['comparisons'], masks: readonly ReviewRow[]): string {
  const shown = masks.filter((row) => row.referenceDice !== undefined && row.volumeMl > 0)
  const low = Math.floor(10 * Math.min(0.9, ...shown.flatMap((row) => [row.dice, row.referenceDice ?? 1]))) / 10
  return chart({
    title: 'Promised and real Dice',
    description: 'Dice against the reference by the soft Dice that the probabilities promised, beside the diagonal.',
    width: 460,
    height: 340,
    x: { label: 'promised (soft) Dice', domain: [low, 1] },
    y: { label: 'Dice against the reference', domain: [low, 1] },
    marks: [
      {
        kind: 'line',
        colour: lineColour(6),
        points: [
          [low, low],
          [1, 1],
        ],
        dash: '4 3',
        width: 1.4,
        label: 'as promised',
      },
      ...comparisons.slice(0, MARKERS.length).map(({ class: name }, i) => ({
        kind: 'dots' as const,
        colour: lineColour(i),
        marker: MARKERS[i],
        points: shown
          .filter((row) => row.class === name)
          .map((row) => [row.dice, row.referenceDice ?? Number.NaN] as const),
        label: name,
      })),
    ],
  })
}

function diceByThreshold(name: string, { meanDice, fixedThreshold, means, cases }: ThresholdComparison): string {
  const points = [...CUTS.keys()]
    .filter((i) => i % 5 === 0 && CUTS[i] >= 0.02 && CUTS[i] <= 0.98)
    .map((i) => [CUTS[i], meanDice[i]] as const)
  const best = Math.max(...points.map(([, dice]) => dice))
  const low = Math.max(0, Math.min(...points.filter(([t]) => t > 0.1 && t < 0.9).map(([, dice]) => dice), best - 0.05))
  const thresholds = cases.map((scores) => scores.perCase.threshold)
  return chart({
    title: 'Dice by threshold',
    description: `Mean Dice of ${name} against the threshold; best at ${fixedThreshold.value.toFixed(2)}.`,
    width: 460,
    height: 300,
    x: { label: 'threshold', domain: [0, 1] },
    y: { label: 'mean Dice', domain: [low, Math.min(1, best + 0.1 * (best - low))] },
    marks: [
      {
        kind: 'band',
        colour: lineColour(6),
        points: [fixedThreshold.low, fixedThreshold.high].map((x) => ({ x, y: best, low: 0, high: 1 })),
        label: 'tuned threshold',
      },
      { kind: 'line', colour: lineColour(0), points, label: 'one threshold for all' },
      { kind: 'rule', x: 0.5, colour: lineColour(6), dash: '4 3', label: '½' },
      {
        kind: 'dots',
        colour: lineColour(1),
        points: [[mean(thresholds), means.perCase.value]],
        label: 't* of each case (at its mean)',
        radius: 4.5,
      },
      {
        kind: 'dots',
        colour: lineColour(2),
        marker: 'diamond',
        points: [[mean(cases.map((scores) => scores.calibrated.threshold)), means.calibrated.value]],
        label: 't* after calibration',
        radius: 4.5,
      },
    ],
  })
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
            { key: 'dice', title: 'soft Dice at t*' },
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
              threshold: mean(shown.map((row) => row.threshold)),
              supDice: mean(shown.map((row) => row.supDice)),
              diceAtHalf: mean(shown.map((row) => row.diceAtHalf)),
              dice: mean(shown.map((row) => row.dice)),
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
        { key: 'dice', title: 'soft Dice' },
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
        threshold: row.present ? row.threshold : 'absent',
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
          'D*, the sup-Dice, is the largest soft Dice 2Σs·p/(‖s‖+‖p‖) that any mask s of a map p reaches; the mask {p ≥ t*} with t* = D*⁄2 reaches it. These numbers are what the probabilities promise: they are only as good as the network is calibrated.',
          scope === 'case'
            ? 'Each map has its own threshold.'
            : 'All cases of a class share one threshold, the best for their pooled voxels.',
          'A class is left out of a case where, by minimax regret over all joint distributions with these probabilities, an empty mask is the better bet: a haze of small probabilities is no evidence, a blob of 0.4 is.',
          'Expected volume is the sum of the probabilities. A Dice-optimal mask is often larger than that; far larger is a warning.',
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

const mean = (values: readonly number[]): number =>
  values.length === 0 ? Number.NaN : values.reduce((a, b) => a + b, 0) / values.length
const signed = (value: number, digits = 4): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`
/** A range that no line break parts (U+2060 joins words). */
const range = (low: number, high: number, digits = 2): string =>
  `${low.toFixed(digits)}\u2060–\u2060${high.toFixed(digits)}`
