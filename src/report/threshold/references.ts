import { type ThresholdComparison, type ThresholdRule, thresholdRules } from '../../maps/comparison.ts'
import type { ReviewRow, ThresholdReview } from '../../maps/review.ts'
import { tableCuts } from '../../metrics/cut-table.ts'
import { chart } from '../kit/chart.ts'
import { reliabilityDiagram } from '../kit/distributions.ts'
import { estimateDecimals, estimateText, intervalText } from '../kit/estimate.ts'
import type { Block, ReportSection } from '../kit/html.ts'
import { lineColour, markers } from '../kit/palette.ts'
import { counted, range, signed } from '../kit/words.ts'

/** Narrow enough to be legible on a phone. */
const chartWidth = 420

const methodNames: Readonly<Record<ThresholdRule, string>> = {
  half: 'cut at ½',
  atCaseThreshold: 't* of each case',
  calibrated: 't* after calibration',
  fixed: 'single tuned threshold',
}

/** More classes than this are not told one by one. */
const classesTold = 6

/** What the references say of each class, in a sentence; of many classes together. */
export function verdicts(comparisons: ThresholdReview['comparisons']): string[] {
  if (comparisons.length <= classesTold) return comparisons.map((each) => verdict(each.class, each.comparison))
  const change = ({ comparison }: ThresholdReview['comparisons'][number]) => comparison.differences.atCaseThreshold
  const [higher, lower] = [
    comparisons.filter((each) => change(each).low > 0),
    comparisons.filter((each) => change(each).high < 0),
  ]
  const sorted = comparisons.toSorted((a, b) => change(b).value - change(a).value)
  const [most, least] = [sorted[0], sorted[sorted.length - 1]].map((each) => {
    const decimals = estimateDecimals([change(each)], 4)
    return `${each.class}, ${estimateText(change(each), { signed: true, decimals })}`
  })
  return [
    `Against references, t* of each case raises the mean Dice in ${higher.length} of ${comparisons.length} classes ` +
      `and lowers it in ${lower.length}; the rest is not told apart from the cut at ½. Most: ${most}. Least: ${least}.`,
  ]
}

/** What the references say, in a sentence: only what its interval supports. */
function verdict(name: string, { means, differences }: ThresholdComparison): string {
  const difference = differences.atCaseThreshold
  const { low, high } = difference
  const change = estimateText(difference, { signed: true, decimals: estimateDecimals([difference], 4) })
  const effect = low > 0 ? 'raises' : high < 0 ? 'lowers' : 'does not clearly change'
  const best = thresholdRules.reduce((a, b) => (means[b].value > means[a].value ? b : a))
  return (
    `${name}, against references: t* of each case ${effect} the mean Dice, by ` +
    `${change} from ${means.half.value.toFixed(4)} at ½. The largest mean, ` +
    `${means[best].value.toFixed(4)}, is that of the ${methodNames[best]}.`
  )
}

/** What references say: a fair comparison of ways to choose the threshold, calibration, promise and reality. */
export function referenceSection(
  comparisons: ThresholdReview['comparisons'],
  masks: readonly ReviewRow[],
): ReportSection {
  const decimals = estimateDecimals(
    comparisons.flatMap(({ comparison: { means } }) => Object.values(means)),
    3,
  )
  const style = {
    signed: true,
    decimals: estimateDecimals(
      comparisons.flatMap(({ comparison }) => Object.values(comparison.differences)),
      3,
    ),
  }
  const rows = comparisons.flatMap(({ class: name, comparison }) =>
    thresholdRules.map((method) => {
      const { means, differences, cases, fixedThreshold } = comparison
      const difference = method === 'half' ? undefined : differences[method]
      const thresholds = cases.map((scores) => scores[method].threshold).toSorted((a, b) => a - b)
      const middle = thresholds[thresholds.length >> 1]
      return {
        class: name,
        method: methodNames[method],
        threshold:
          method === 'fixed'
            ? estimateText(fixedThreshold, { decimals: 2 })
            : method === 'half'
              ? '0.50'
              : `${middle.toFixed(2)} (${range(thresholds[0], thresholds.at(-1) ?? 0)})`,
        dice: means[method].value,
        diceInterval: intervalText(means[method], { decimals }),
        difference: difference?.value,
        differenceInterval: difference && intervalText(difference, style),
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
      text:
        'Masks of one class cut on its own, against the references of ' +
        `${counted(comparisons[0].comparison.cases.length, 'case')}. Calibration and the tuned ` +
        'threshold of a case were fitted without it (cross-fitted by case), so that the comparison is ' +
        'fair; intervals are 95 % bootstrap intervals over cases, differences are paired.',
    },
    {
      kind: 'table',
      name: 'methods',
      caption:
        'Four ways to choose the threshold. The threshold of per-case methods is their median and ' +
        'range; of the tuned one its value on all cases and a bootstrap interval.',
      table: {
        columns: [
          { key: 'class' },
          { key: 'method' },
          { key: 'threshold' },
          { key: 'dice', title: 'mean Dice', decimals },
          { key: 'diceInterval', title: '95 %' },
          { key: 'difference', title: 'minus ½', show: (value) => signed(Number(value), style.decimals) },
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
        'Calibration: logit g(p) = a·ln p − b·ln(1 − p) + c; a = b = 1, c = 0 changes nothing. The error (ECE) is ' +
        'over voxels with p ≥ 0.01. Probabilities that need much calibration make their own t* unreliable.',
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
      caption:
        `${name}: mean Dice against the references by threshold (left), and how often voxels of a ` +
        'given probability are in the reference (right). The band is the interval of the tuned ' +
        'threshold.',
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
          { width: chartWidth, height: 300, title: 'Calibration' },
        ),
      ],
    })
  }
  blocks.push({
    kind: 'figure',
    caption:
      'What the probabilities promised (soft Dice of the mask written) and what the reference gave, one dot a case. ' +
      'Below the diagonal the map promised too much; far from it, do not rely on the promise.',
    svgs: [promiseChart(comparisons, masks)],
  })
  return { title: 'Against the references', blocks }
}

function promiseChart(comparisons: ThresholdReview['comparisons'], masks: readonly ReviewRow[]): string {
  const shown = masks.filter((row) => row.referenceDice !== undefined && row.volumeMl > 0)
  const low = Math.floor(10 * Math.min(0.9, ...shown.flatMap((row) => [row.softDice, row.referenceDice ?? 1]))) / 10
  return chart({
    title: 'Promised and real Dice',
    description: 'Dice against the reference by the soft Dice that the probabilities promised, beside the diagonal.',
    width: chartWidth,
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
      ...comparisons.slice(0, markers.length).map(({ class: name }, i) => ({
        kind: 'dots' as const,
        colour: lineColour(i),
        marker: markers[i],
        points: shown
          .filter((row) => row.class === name)
          .map((row) => [row.softDice, row.referenceDice ?? Number.NaN] as const),
        label: name,
      })),
    ],
  })
}

function diceByThreshold(name: string, { meanDice, fixedThreshold, means, cases }: ThresholdComparison): string {
  const points = [...tableCuts.keys()]
    .filter((i) => i % 5 === 0 && tableCuts[i] >= 0.02 && tableCuts[i] <= 0.98)
    .map((i) => [tableCuts[i], meanDice[i]] as const)
  const best = Math.max(...points.map(([, dice]) => dice))
  const low = Math.max(0, Math.min(...points.filter(([t]) => t > 0.1 && t < 0.9).map(([, dice]) => dice), best - 0.05))
  const thresholds = cases.map((scores) => scores.atCaseThreshold.threshold)
  return chart({
    title: 'Dice by threshold',
    description: `Mean Dice of ${name} against the threshold; best at ${fixedThreshold.value.toFixed(2)}.`,
    width: chartWidth,
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
        points: [[mean(thresholds), means.atCaseThreshold.value]],
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

export const mean = (values: readonly number[]): number =>
  values.length === 0 ? Number.NaN : values.reduce((a, b) => a + b, 0) / values.length
