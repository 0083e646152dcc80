import { quantile } from '../../metrics/statistics/quantile.ts'
import { estimateDecimals, intervalText } from '../kit/estimate.ts'
import type { Block } from '../kit/html.ts'
import { type Column, cellText, type Row } from '../kit/table.ts'
import { pText, signed } from '../kit/words.ts'
import { metricIndex, type PageMetric, type PageScores, type PageVersus, worstCases } from './model.ts'

/** A number with the decimals of its row. */
const byRow: Pick<Column, 'show'> = {
  show: (value, row) => cellText(value, { key: '', decimals: Number(row.decimals) }),
}

/** Which metrics a table tells: those that are drawn too, or all. */
export type Extent = 'main' | 'all'

/** Mean, deviation, interval and spread of each label and metric. */
export function summaryTable(scores: PageScores, extent: Extent): Block {
  const rows = scores.labels.flatMap((label, l) =>
    scores.metrics.flatMap((metric, m): Row[] => {
      const mean = scores.means[l]?.[m]
      if (!mean || !(metric.drawn || extent === 'all')) return []
      const sorted = valuesOf(scores, l, m).sort((a, b) => a - b)
      const decimals = estimateDecimals([mean], metric.decimals)
      return [
        {
          label,
          metric: metric.title,
          cases: mean.cases,
          absent: scores.absent[l] > 0 ? scores.absent[l] : undefined,
          mean: mean.mean,
          sd: mean.sd,
          interval: intervalText({ ...mean, value: mean.mean }, { decimals }),
          median: quantile(sorted, 0.5),
          q1: quantile(sorted, 0.25),
          q3: quantile(sorted, 0.75),
          least: sorted[0],
          most: sorted[sorted.length - 1],
          decimals,
        },
      ]
    }),
  )
  return {
    kind: 'table',
    name: extent === 'all' ? 'summary-all' : 'summary',
    caption:
      'Mean, standard deviation and 95 % bootstrap interval of the mean over patients; median, quartiles, least and ' +
      'largest value over cases. “Cases” are those in which the number exists: an empty mask has no surface.' +
      (scores.absent.some((n) => n > 0)
        ? ' A label that is in neither map of a case counts there with a Dice of 1: “in neither map” says in how many.'
        : ''),
    table: {
      columns: [
        { key: 'label' },
        { key: 'metric' },
        { key: 'cases', decimals: 0 },
        ...(scores.absent.some((n) => n > 0) ? [{ key: 'absent', title: 'in neither map', decimals: 0 }] : []),
        { key: 'mean', ...byRow },
        { key: 'sd', title: '± SD', ...byRow },
        { key: 'interval', title: '95 %' },
        { key: 'median', ...byRow },
        { key: 'q1', ...byRow },
        { key: 'q3', ...byRow },
        { key: 'least', ...byRow },
        { key: 'most', ...byRow },
      ],
      rows,
    },
  }
}

/** The worst cases of each label, with all their numbers. */
export function worstTable(scores: PageScores, count: number): Block {
  const rows = scores.labels.flatMap((label, l) =>
    worstCases(scores, l, count).map((i): Row => ({ label, ...caseCells(scores, i, l) })),
  )
  return {
    kind: 'table',
    name: 'worst',
    caption: 'The cases that agree least with the reference, by label: by Dice, then by the distance of the surfaces.',
    table: { columns: [{ key: 'label' }, { key: 'case' }, ...metricColumns(scores.metrics)], rows },
  }
}

/** Rows of the table of all cases: with more, a page is slow to open. */
const rowsShown = 2000

/** Every case and label. */
export function allTable(scores: PageScores): Block {
  const all = scores.cases.flatMap((each, i) =>
    scores.labels.flatMap((label, l): Row[] =>
      each.values[l] === undefined ? [] : [{ case: each.name, label, ...caseCells(scores, i, l) }],
    ),
  )
  return {
    kind: 'table',
    name: 'cases',
    caption:
      all.length > rowsShown
        ? `The first ${rowsShown} of ${all.length} rows; --csv FILE writes them all.`
        : 'Every case and label.',
    table: {
      columns: [{ key: 'case' }, { key: 'label' }, ...metricColumns(scores.metrics)],
      rows: all.slice(0, rowsShown),
    },
  }
}

/** Means of both predictions, their paired difference, and what to make of it. */
export function versusTable(scores: PageScores, { other, differences, margin }: PageVersus, extent: Extent): Block {
  const rows = scores.labels.flatMap((label, l) =>
    scores.metrics.flatMap((metric, m): Row[] => {
      const paired = differences[l]?.[m]
      if (!paired || !(metric.drawn || extent === 'all')) return []
      const { difference, better, worse, cases } = paired
      const decimals = estimateDecimals([difference], metric.decimals)
      return [
        {
          label,
          metric: metric.title,
          own: paired.meanFirst,
          theirs: paired.meanSecond,
          difference: difference.value,
          interval: intervalText(difference, { decimals, signed: true }),
          p: paired.pValue,
          better: `${better} / ${worse} of ${cases}`,
          verdict: paired.verdict,
          decimals,
        },
      ]
    }),
  )
  return {
    kind: 'table',
    name: extent === 'all' ? 'versus-all' : 'versus',
    caption:
      'Both predictions over the cases in which both have the number; differences are paired, with 95 % bootstrap ' +
      'intervals over patients; p of Wilcoxon’s signed-rank test. Better, worse and equivalent are said by the ' +
      `interval: shares such as Dice are equivalent where it lies within ±${margin}.`,
    table: {
      columns: [
        { key: 'label' },
        { key: 'metric' },
        { key: 'own', title: scores.name, ...byRow },
        { key: 'theirs', title: other.name, ...byRow },
        {
          key: 'difference',
          show: (value, row) => signed(Number(value), Number(row.decimals)),
        },
        { key: 'interval', title: '95 %' },
        { key: 'p', show: (value) => pText(Number(value)) },
        { key: 'better', title: 'better / worse' },
        { key: 'verdict' },
      ],
      rows,
    },
  }
}

/** The values of a label and metric over the cases that have one. */
export function valuesOf({ cases }: PageScores, label: number, metric: number): number[] {
  return cases.flatMap((each) => each.values[label]?.[metric] ?? [])
}

/** A few numbers of a case in a line: `Dice 0.812, HD95 7.4 mm`. */
export function scoreText(scores: PageScores, index: number, label: number): string {
  const shown = (['dice', 'hd95Mm'] as const).flatMap((key) => {
    const m = metricIndex(scores, key)
    const value = scores.cases[index].values[label]?.[m]
    if (value === undefined) return []
    return key === 'dice' ? `Dice ${value.toFixed(3)}` : `HD95 ${value.toFixed(1)} mm`
  })
  return shown.join(', ')
}

const metricColumns = (metrics: readonly PageMetric[]): Column[] =>
  metrics.map(({ key, title, decimals }) => ({ key, title, decimals }))

function caseCells(scores: PageScores, index: number, label: number): Row {
  const { name, values, missing } = scores.cases[index]
  const numbers = scores.metrics.map(({ key }, m) => [key, values[label]?.[m]] as const)
  return { case: missing ? `${name} (no prediction)` : name, ...Object.fromEntries(numbers) }
}
