import type { CohortCase, CohortEvaluation } from './evaluate-cohort.ts'
import type { LabelScore } from './metrics.ts'

/** nnU-Net's numbers of one label. */
type Counts = Readonly<Record<'Dice' | 'FN' | 'FP' | 'IoU' | 'TN' | 'TP' | 'n_pred' | 'n_ref', number>>

/**
 * The scores as nnU-Net v2 writes them to `summary.json`: its keys, its rules (a label in neither map has no Dice, and
 * counts in no mean; the foreground mean is that of the labels' means), its order and its `NaN`.
 */
export function nnunetSummary({ cases }: Pick<CohortEvaluation, 'cases'>): string {
  const perCase = cases.map((one) => ({
    metrics: Object.fromEntries(one.scores.map((score) => [keyOf(score), countsOf(score, one)])),
    prediction_file: one.prediction ?? null,
    reference_file: one.reference,
  }))
  const keys = cases[0]?.scores.map(keyOf) ?? []
  const mean = Object.fromEntries(
    keys.map((key) => [key, overNumbers((name) => nanMean(perCase.map(({ metrics }) => metrics[key][name])))]),
  )
  const foreground = overNumbers((name) => average(keys.map((key) => mean[key][name])))
  return pythonJson({ foreground_mean: foreground, mean, metric_per_case: perCase })
}

const numbers = ['Dice', 'FN', 'FP', 'IoU', 'TN', 'TP', 'n_pred', 'n_ref'] as const

function overNumbers(of: (name: (typeof numbers)[number]) => number): Counts {
  return Object.fromEntries(numbers.map((name) => [name, of(name)])) as Counts
}

/** As Python prints the number, or the tuple of a region. */
function keyOf({ label }: LabelScore): string {
  return label.includes('+') ? `(${label.split('+').join(', ')})` : label
}

function countsOf({ precision, voxelsPred, voxelsRef }: LabelScore, { voxels }: CohortCase): Counts {
  const tp = voxelsRef === 0 ? 0 : Math.round(precision * voxelsPred)
  const [fp, fn] = [voxelsPred - tp, voxelsRef - tp]
  return {
    // 0/0 is NaN, as there.
    Dice: (2 * tp) / (2 * tp + fp + fn),
    FN: fn,
    FP: fp,
    IoU: tp / (tp + fp + fn),
    TN: voxels - tp - fp - fn,
    TP: tp,
    n_pred: voxelsPred,
    n_ref: voxelsRef,
  }
}

function nanMean(values: readonly number[]): number {
  return average(values.filter((value) => !Number.isNaN(value)))
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** JSON as Python's `json` module writes and reads it: with NaN. */
function pythonJson(value: unknown): string {
  const mark = '\u0000NaN'
  const text = JSON.stringify(value, (_, each) => (Number.isNaN(each) ? mark : each), 4)
  return `${text.replaceAll(JSON.stringify(mark), 'NaN')}\n`
}
