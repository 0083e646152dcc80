import type { CohortEvaluation, MetricSummary } from '../../maps/evaluate/evaluate-cohort.ts'
import type { Metric } from '../../maps/evaluate/metrics.ts'
import type { Versus } from '../../maps/evaluate/versus.ts'
import type { ByLabelAndMetric, PageDifference, PageMean, PageMetric, PageScores, PageVersus } from './model.ts'

/** How metrics are called on the page, and how many decimals they deserve. */
const titles: Readonly<Record<string, readonly [title: string, decimals: number]>> = {
  dice: ['Dice', 3],
  iou: ['IoU', 3],
  precision: ['precision', 3],
  recall: ['recall', 3],
  volumePredMl: ['ml', 2],
  volumeRefMl: ['reference ml', 2],
  volumeDifferenceMl: ['difference, ml', 2],
  relativeVolumeDifference: ['relative volume difference', 3],
  hd95Mm: ['HD95 (mm)', 2],
  hdMm: ['Hausdorff (mm)', 2],
  assdMm: ['ASSD (mm)', 2],
  'lesions.lesionsPred': ['lesions', 1],
  'lesions.lesionsRef': ['reference lesions', 1],
  'lesions.tp': ['lesions found', 1],
  'lesions.fp': ['false lesions', 1],
  'lesions.fn': ['missed lesions', 1],
  'lesions.f1': ['lesion F1', 3],
  'lesions.sq': ['lesion SQ', 3],
  'lesions.rq': ['lesion RQ', 3],
  'lesions.pq': ['lesion PQ', 3],
  'ceiling.annotators': ['two annotators', 3],
  'ceiling.best': ['best mask for annotators', 3],
  'ceiling.expected': ['expected Dice to annotators', 3],
  'ceiling.reached': ['share of the best reached', 3],
  threshold: ['cut at', 3],
  softDice: ['promised Dice', 3],
  ece: ['ECE', 5],
  brier: ['Brier', 5],
}

/** Those whose distributions are drawn, beside the surface Dice of every tolerance. */
const drawn = new Set(['dice', 'hd95Mm', 'assdMm', 'relativeVolumeDifference', 'lesions.f1'])

/** The scores of a cohort as the page shows them. */
export function pageScores(name: string, { metrics, cases, summary }: CohortEvaluation): PageScores {
  return {
    name,
    labels: summary.map(labelName),
    metrics: metrics.map(pageMetric),
    cases: cases.map((one) => ({
      name: one.case,
      missing: one.prediction === undefined,
      values: one.scores.map((score) => metrics.map(({ of }) => of(score) ?? undefined)),
    })),
    means: summary.map((label) => metrics.map(({ key }) => meanOf(label.metrics.get(key)))),
    absent: summary.map(({ absent }) => absent),
  }
}

/** Another prediction beside that of `scores`: its numbers in the order of their labels and cases. */
export function pageVersus(
  name: string,
  first: CohortEvaluation,
  second: CohortEvaluation,
  { margin, labels }: Versus,
): PageVersus {
  const keys = first.summary.map(({ label }) => label)
  const byName = new Map(second.cases.map((one) => [one.case, one]))
  const summaries = new Map(second.summary.map((one) => [one.label, one]))
  const compared = new Map(labels.map((one) => [one.label, one]))
  const differences: ByLabelAndMetric<PageDifference> = keys.map((label) =>
    first.metrics.map(({ key }): PageDifference | undefined => {
      const paired = compared.get(label)?.metrics.get(key)
      if (!paired) return undefined
      const { cases, meanFirst, meanSecond, difference, wilcoxon, verdict } = paired
      const [better, worse] = [paired.betterCases, paired.worseCases]
      return { cases, meanFirst, meanSecond, difference, pValue: wilcoxon.pValue, better, worse, verdict }
    }),
  )
  const other: PageScores = {
    name,
    labels: first.summary.map(labelName),
    metrics: first.metrics.map(pageMetric),
    cases: first.cases.map((one) => {
      const theirs = byName.get(one.case)
      const scores = new Map(theirs?.scores.map((score) => [score.label, score]))
      return {
        name: one.case,
        missing: theirs?.prediction === undefined,
        values: keys.map((label) => {
          const score = scores.get(label)
          return score && first.metrics.map(({ of }) => of(score) ?? undefined)
        }),
      }
    }),
    means: keys.map((label) => first.metrics.map(({ key }) => meanOf(summaries.get(label)?.metrics.get(key)))),
    absent: keys.map((label) => summaries.get(label)?.absent ?? 0),
  }
  return { other, differences, margin }
}

/** The name of a label; a number alone would not say that it is one. */
function labelName({ label, name }: { readonly label: string; readonly name?: string }): string {
  return name ?? (/^\d/.test(label) ? `label ${label}` : label)
}

function pageMetric({ key, better }: Metric): PageMetric {
  const tolerance = /^nsd\.(.*)$/.exec(key)?.[1]
  const [title, decimals] = tolerance === undefined ? (titles[key] ?? [key, 3]) : [`NSD at ${tolerance} mm`, 3]
  return {
    key,
    title,
    decimals,
    better: better === 'higher' ? 'high' : better === 'lower' ? 'low' : 'zero',
    drawn: tolerance !== undefined || drawn.has(key),
  }
}

const meanOf = (summary: MetricSummary | undefined): PageMean | undefined =>
  summary && { cases: summary.n, mean: summary.mean, sd: summary.sd, low: summary.low, high: summary.high }
