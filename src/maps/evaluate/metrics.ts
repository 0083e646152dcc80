import type { CaseScore } from '../../metrics/evaluate-case.ts'

/** The scores of one label in one case. */
export interface LabelScore extends Omit<CaseScore, 'labels'> {
  /** The label's number; of several taken together `1+2`; of an organ with a file of its own its name. */
  readonly label: string
  readonly name?: string
}

/** A number that a cohort is summed up by. */
export interface Metric {
  /** As in JSON, such as `hd95Mm`; parts of nested scores with a dot, such as `nsd.1` and `lesions.f1`. */
  readonly key: string
  /** As in CSV, such as `hd95_mm` and `nsd_1_mm`. */
  readonly column: string
  /** Which values are good; undefined where neither is. */
  readonly better?: 'higher' | 'lower'
  /** Null where the score does not exist, as the distance to an empty mask does not. */
  readonly of: (score: LabelScore) => number | null
}

type Better = Metric['better']

/** The numbers that scores of these options have, in the order of tables. */
export function metricsOf(scores: readonly LabelScore[]): Metric[] {
  const [first] = scores
  if (first === undefined) return []
  const ceilings = scores.some(({ ceiling }) => ceiling !== undefined)
  const soft = scores.some(({ probabilities }) => probabilities !== undefined)
  const plain = (key: keyof LabelScore & string, column: string, better?: Better): Metric =>
    metric(key, column, better, (score) => score[key] as number | null)
  return [
    plain('dice', 'dice', 'higher'),
    plain('iou', 'iou', 'higher'),
    plain('precision', 'precision', 'higher'),
    plain('recall', 'recall', 'higher'),
    plain('volumePredMl', 'volume_pred_ml'),
    plain('volumeRefMl', 'volume_ref_ml'),
    plain('volumeDifferenceMl', 'volume_difference_ml'),
    plain('relativeVolumeDifference', 'relative_volume_difference'),
    plain('hd95Mm', 'hd95_mm', 'lower'),
    plain('hdMm', 'hd_mm', 'lower'),
    plain('assdMm', 'assd_mm', 'lower'),
    ...tolerancesOf(first).map((mm) => metric(`nsd.${mm}`, `nsd_${mm}_mm`, 'higher', ({ nsd }) => nsd[mm] ?? null)),
    ...(first.lesions === undefined ? [] : lesionMetrics),
    ...(ceilings ? ceilingMetrics : []),
    ...(soft ? softMetrics : []),
  ]
}

/** Ascending: an object's own order has whole numbers first. */
function tolerancesOf({ nsd }: LabelScore): string[] {
  return Object.keys(nsd).sort((a, b) => Number(a) - Number(b))
}

const lesionMetrics: readonly Metric[] = (
  [
    ['lesionsPred', 'lesions_pred', undefined],
    ['lesionsRef', 'lesions_ref', undefined],
    ['tp', 'lesions_tp', 'higher'],
    ['fp', 'lesions_fp', 'lower'],
    ['fn', 'lesions_fn', 'lower'],
    ['f1', 'lesions_f1', 'higher'],
    ['sq', 'lesions_sq', 'higher'],
    ['rq', 'lesions_rq', 'higher'],
    ['pq', 'lesions_pq', 'higher'],
  ] as const
).map(([key, column, better]) => metric(`lesions.${key}`, column, better, ({ lesions }) => lesions?.[key] ?? null))

const ceilingMetrics: readonly Metric[] = (
  [
    ['annotators', 'ceiling_annotators'],
    ['best', 'ceiling_best'],
    ['expected', 'ceiling_expected'],
    ['reached', 'ceiling_reached'],
  ] as const
).map(([key, column]) => metric(`ceiling.${key}`, column, undefined, ({ ceiling }) => ceiling?.[key] ?? null))

const softMetrics: readonly Metric[] = (
  [
    ['threshold', 'threshold', undefined],
    ['softDice', 'soft_dice', undefined],
    ['ece', 'ece', 'lower'],
    ['brier', 'brier', 'lower'],
  ] as const
).map(([key, column, better]) => metric(key, column, better, ({ probabilities }) => probabilities?.[key] ?? null))

function metric(key: string, column: string, better: Better, of: Metric['of']): Metric {
  return { key, column, ...(better && { better }), of }
}
