import type { AxisOptions } from '../kit/axis.ts'
import { chart } from '../kit/chart.ts'
import type { Block } from '../kit/html.ts'
import type { Mark } from '../kit/marks.ts'
import { lineColour, markers } from '../kit/palette.ts'
import { type StripValues, stripChart } from '../kit/strips.ts'
import { metricIndex, type PageMetric, type PageScores, type PageVersus } from './model.ts'

/** Narrow enough for two beside each other, and legible on a phone. */
const width = 420

/** Distributions of every metric that is drawn, a group a label. */
export function distributionFigures(scores: PageScores): Block {
  const drawn = drawnMetrics(scores)
  return {
    kind: 'figure',
    caption:
      'One dot a case. Boxes reach from quartile to quartile, with the median; whiskers to the last case within one ' +
      'and a half box lengths; the diamond is the mean. Where a label has more than 100 cases, only those beyond the ' +
      'whiskers are drawn one by one.',
    svgs: drawn.map(({ metric, m }) =>
      stripChart({
        title: metric.title,
        description: `Distribution of ${metric.title} over cases for ${scores.labels.join(', ')}.`,
        width,
        x: axisOf(metric, [scores], m),
        groups: scores.labels,
        series: [{ groups: groupsOf(scores, m) }],
        ...(metric.better === 'zero' && { rule: 0 }),
      }),
    ),
  }
}

/** Both predictions case by case, and the distribution of their differences. */
export function versusFigures(scores: PageScores, { other }: PageVersus): Block {
  const m = metricIndex(scores, 'dice')
  const drawn = drawnMetrics(scores)
  return {
    kind: 'figure',
    caption:
      'First: Dice of both predictions, one mark a case; above the diagonal ' +
      `${scores.name} is better. The others: ${scores.name} minus ${other.name}, case by case; the diamond is the ` +
      'mean.',
    svgs: [
      pairedChart(scores, other, m),
      ...drawn.map(({ metric, m: index }) =>
        stripChart({
          title: `${metric.title}, difference`,
          description: `Distribution over cases of ${metric.title} of ${scores.name} minus that of ${other.name}.`,
          width,
          x: { label: `${metric.title}: ${shortName(scores.name)} minus ${shortName(other.name)}` },
          groups: scores.labels,
          series: [{ groups: differencesOf(scores, other, index) }],
          rule: 0,
        }),
      ),
    ],
  }
}

/** Names of predictions may be paths: the end of a long one tells more than its beginning. */
const shortName = (name: string): string => (name.length <= 20 ? name : `…${name.slice(-19)}`)

function pairedChart(scores: PageScores, other: PageScores, m: number): string {
  const pairs = scores.labels.map((_, l) =>
    scores.cases.flatMap((each, i) => {
      const [a, b] = [each.values[l]?.[m], other.cases[i].values[l]?.[m]]
      return a === undefined || b === undefined ? [] : [{ point: [b, a] as const, name: each.name }]
    }),
  )
  const all = pairs.flat().flatMap(({ point }) => [...point])
  const low = Math.floor(10 * Math.min(0.9, ...all)) / 10
  const diagonal: Mark = {
    kind: 'line',
    colour: lineColour(6),
    dash: '4 3',
    width: 1.4,
    label: 'equal',
    points: [
      [low, low],
      [1, 1],
    ],
  }
  const named = scores.labels.length <= markers.length
  return chart({
    title: 'Dice, case by case',
    description: `Dice of ${scores.name} against that of ${other.name}, one mark a case, beside the diagonal.`,
    width,
    height: 380,
    x: { label: `Dice of ${shortName(other.name)}`, domain: [low, 1] },
    y: { label: `Dice of ${shortName(scores.name)}`, domain: [low, 1] },
    marks: [
      diagonal,
      ...pairs.map(
        (own, l): Mark => ({
          kind: 'dots',
          // With more labels than markers, colours would say nothing: each dot tells its label.
          colour: named ? lineColour(l) : lineColour(0),
          marker: named ? markers[l] : 'circle',
          opacity: 0.7,
          points: own.map(({ point }) => point),
          titles: own.map(
            ({ name, point }) => `${name}, ${scores.labels[l]}: ${point[1].toFixed(3)} against ${point[0].toFixed(3)}`,
          ),
          ...(named && { label: scores.labels[l] }),
        }),
      ),
    ],
  })
}

function drawnMetrics({ metrics, cases }: PageScores): { metric: PageMetric; m: number }[] {
  return metrics.flatMap((metric, m) => {
    const exists = cases.some(({ values }) => values.some((own) => own?.[m] !== undefined))
    return metric.drawn && exists ? [{ metric, m }] : []
  })
}

function axisOf({ title, better }: PageMetric, all: readonly PageScores[], m: number): AxisOptions {
  const values = all.flatMap(({ cases }) => cases.flatMap((each) => each.values.flatMap((own) => own?.[m] ?? [])))
  if (better === 'high') return { label: title, domain: [Math.floor(10 * Math.min(0.9, ...values)) / 10, 1] }
  return better === 'low' ? { label: title, domain: [0, niceTop(Math.max(...values))] } : { label: title }
}

/** The end of an axis from 0: a little beyond the largest value, round. */
function niceTop(largest: number): number {
  if (!(largest > 0)) return 1
  const step = 10 ** Math.floor(Math.log10(largest)) / 2
  return Math.ceil(largest / step) * step
}

function groupsOf({ labels, cases }: PageScores, m: number): StripValues[] {
  return labels.map((_, l) => {
    const own = cases.flatMap(({ name, values }) => {
      const value = values[l]?.[m]
      return value === undefined ? [] : [{ value, name: `${name}: ${Number(value.toPrecision(4))}` }]
    })
    return { values: own.map(({ value }) => value), names: own.map(({ name }) => name) }
  })
}

function differencesOf(scores: PageScores, other: PageScores, m: number): StripValues[] {
  return scores.labels.map((_, l) => {
    const own = scores.cases.flatMap(({ name, values }, i) => {
      const [a, b] = [values[l]?.[m], other.cases[i].values[l]?.[m]]
      return a === undefined || b === undefined
        ? []
        : [{ value: a - b, name: `${name}: ${Number((a - b).toPrecision(3))}` }]
    })
    return { values: own.map(({ value }) => value), names: own.map(({ name }) => name) }
  })
}
