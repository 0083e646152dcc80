import { several } from '../datasets/image-folder.ts'
import type { CohortEvaluation } from '../maps/evaluate/evaluate-cohort.ts'
import { type LabelScore, type Metric, metricsOf } from '../maps/evaluate/metrics.ts'
import type { Versus } from '../maps/evaluate/versus.ts'
import { type Cell, fixed, millilitres, table } from './print.ts'

/** Columns of the tables by the key of their metric; the other metrics are in JSON and CSV. */
const titles: Readonly<Record<string, string>> = {
  threshold: 'cut at',
  dice: 'Dice',
  'ceiling.annotators': 'two annotators',
  'ceiling.best': 'best mask',
  'ceiling.expected': 'expected',
  'ceiling.reached': 'reached',
  softDice: 'soft Dice',
  iou: 'IoU',
  precision: 'precision',
  recall: 'recall',
  volumePredMl: 'ml',
  volumeRefMl: 'reference ml',
  hd95Mm: 'HD95 mm',
  hdMm: 'HD mm',
  assdMm: 'ASSD mm',
  'lesions.lesionsRef': 'lesions',
  'lesions.fn': 'missed',
  'lesions.fp': 'false',
  'lesions.f1': 'F1',
  'lesions.pq': 'PQ',
  ece: 'ECE',
  brier: 'Brier',
}

const decimals: Readonly<Record<string, number>> = { hd95Mm: 2, hdMm: 2, assdMm: 2, ece: 5, brier: 5 }

/** The scores of two files. */
export function describeCase(rows: readonly LabelScore[], prediction: string, reference: string): string {
  if (rows.length === 0) return `${prediction} against ${reference}: both hold background only`
  const shown = shownOf(metricsOf(rows))
  const named = rows.some(({ name }) => name !== undefined)
  const header = ['label', ...(named ? ['name'] : []), ...shown.map(titleOf)]
  const cells = rows.map((row) => [
    row.label,
    ...(named ? [row.name ?? ''] : []),
    ...shown.map((metric) => cell(metric, metric.of(row))),
  ])
  return [`${prediction} against ${reference}`, '', table(header, cells), ...ceilingLines(rows)].join('\n')
}

/** What a reader of ceilings wants to know, label by label: is it as good as annotators are? */
function ceilingLines(scores: readonly LabelScore[]): string[] {
  const labels = [...new Set(scores.map(({ label }) => label))]
  const lines = labels.flatMap((label) => {
    const own = scores.filter((score) => score.label === label)
    const known = own.flatMap(({ dice, ceiling }) => (ceiling ? [{ dice, ...ceiling }] : []))
    if (known.length === 0) return []
    const mean = (key: keyof (typeof known)[number]) => known.reduce((sum, one) => sum + one[key], 0) / known.length
    const [dice, annotators, best] = [mean('dice'), mean('annotators'), mean('best')]
    const place =
      dice < annotators
        ? 'below what annotators agree by'
        : dice < best
          ? 'as two annotators agree'
          : 'at the best mask'
    return [
      `${own[0].name ?? `label ${label}`}: Dice ${fixed(dice, 4)} is ${place}; two annotators of this noise have ` +
        `${fixed(annotators, 4)}, the best mask ${fixed(best, 4)}`,
    ]
  })
  return lines.length === 0 ? [] : ['', ...lines]
}

/** The scores of a cohort, case by case, with means and intervals last. */
export function describeCohort(
  found: CohortEvaluation,
  { distances, missing }: { readonly distances: string; readonly missing: string },
  versus?: { readonly path: string; readonly compared: Versus },
): string {
  const { cases, summary, patients, metrics } = found
  const shown = shownOf(metrics)
  const named = summary.some(({ name }) => name !== undefined)
  const names = (each: { readonly label: string; readonly name?: string }): Cell[] =>
    named ? [each.label, each.name ?? ''] : [each.label]
  const rows = cases.flatMap((one) =>
    one.scores.map((score): Cell[] => [
      one.case,
      ...names(score),
      ...shown.map((metric) => cell(metric, metric.of(score))),
    ]),
  )
  const sums = summary.flatMap((each) =>
    (['mean', 'sd', 'low', 'high'] as const).map((part): Cell[] => [
      { mean: 'mean', sd: 'deviation', low: '95 % from', high: 'to' }[part],
      ...names(each),
      ...shown.map((metric) => meanCell(metric, each.metrics.get(metric.key)?.[part])),
    ]),
  )
  // A distance to nothing exists in no mean, a missing prediction in some.
  const counts = summary.flatMap((each): Cell[][] => {
    const own = shown.map(({ key }) => each.metrics.get(key)?.n ?? 0)
    return own.every((n) => n === cases.length) ? [] : [['cases', ...names(each), ...own.map((n) => String(n))]]
  })
  const header = ['case', ...(named ? ['label', 'name'] : ['label']), ...shown.map(titleOf)]
  const count = `${cases.length} ${cases.length === 1 ? 'case' : 'cases'}`
  const of = patients === cases.length ? 'each a patient of its own' : `of ${patients} patients`
  const empty = missing === 'empty' ? '; missing predictions count as empty' : ''
  const absent = summary
    .filter((each) => each.absent > 0)
    .toSorted((a, b) => b.absent - a.absent)
    .map(({ label, name, absent: n }) => `${name ?? label} in ${n}`)
  return [
    `${count}, ${of}; surface distances by ${distances}${empty}`,
    ...(absent.length > 0 ? [`In neither map, which counts as Dice 1: ${several(absent)}`] : []),
    '',
    table(header, [...rows, ...counts, ...sums]),
    ...ceilingLines(cases.flatMap(({ scores }) => scores)),
    ...(versus ? describeVersus(versus.path, versus.compared) : []),
  ].join('\n')
}

/** The metrics by which two predictions are compared in print. */
const compared = ['dice', 'hd95Mm', 'assdMm', 'lesions.f1']

function describeVersus(path: string, { margin, labels, leftOut }: Versus): string[] {
  const rows = labels.flatMap(({ label, name, metrics }) =>
    [...metrics].flatMap(([key, each]): Cell[][] => {
      if (!(compared.includes(key) || key.startsWith('nsd.'))) return []
      const { difference: d, wilcoxon, betterCases, worseCases, equalCases } = each
      const places = (decimals[key] ?? 4) as number
      const signed = (x: number) => `${x < 0 ? '' : '+'}${x.toFixed(places)}`
      return [
        [
          name ?? label,
          titleOf({ key }),
          fixed(each.meanFirst, places),
          fixed(each.meanSecond, places),
          `${signed(d.value)} (${signed(d.low)} to ${signed(d.high)})`,
          `${betterCases}/${worseCases}/${equalCases}`,
          wilcoxon.pValue < 0.0001 ? '< 0.0001' : fixed(wilcoxon.pValue, 4),
          each.verdict,
        ],
      ]
    }),
  )
  const header = [
    'label',
    'metric',
    'mean',
    'other',
    'difference (95 %)',
    'better/worse/equal',
    'Wilcoxon p',
    'verdict',
  ]
  return [
    '',
    `Against ${path}, paired by case (equivalent: within ±${margin}, for shares only):`,
    ...(leftOut.length > 0 ? [`In one of the two only: ${leftOut.join(', ')}`] : []),
    '',
    table(header, rows),
  ]
}

function shownOf(metrics: readonly Metric[]): readonly Metric[] {
  const order = Object.keys(titles)
  const at = ({ key }: Metric) => (key.startsWith('nsd.') ? order.indexOf('assdMm') + 0.5 : order.indexOf(key))
  return metrics.filter((metric) => at(metric) >= 0).toSorted((a, b) => at(a) - at(b))
}

function titleOf({ key }: Pick<Metric, 'key'>): string {
  return key.startsWith('nsd.') ? `NSD ${key.slice(4)} mm` : titles[key]
}

/** Counts of lesions have means that are no whole numbers. */
function meanCell(metric: Metric, value: number | null | undefined): Cell {
  const isCount = metric.key.startsWith('lesions.') && !/f1|pq/.test(metric.key)
  return isCount ? fixed(value, 1) : cell(metric, value)
}

function cell({ key }: Metric, value: number | null | undefined): Cell {
  if (key.endsWith('Ml') && typeof value === 'number') return millilitres(value)
  return fixed(value, key.startsWith('lesions.') && !/f1|pq/.test(key) ? 0 : (decimals[key] ?? 4))
}
