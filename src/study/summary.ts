import { bootstrap, type Interval } from '../metrics/statistics/bootstrap.ts'
import { holm, wilcoxonSignedRank } from '../metrics/statistics/wilcoxon.ts'
import type { StudyMethod } from './score-case.ts'
import type { ScoreRow } from './score-table.ts'

/** The label that Dice is taken with: the noisy one (the paper's target) or the clean one. */
export type Target = 'noisy' | 'clean'

/** One method at one organ and strength: a row of summary.csv. */
export interface SummaryRow {
  readonly organ: string
  readonly sigma_mm: string
  readonly length_mm: number
  readonly target: Target
  readonly method: StudyMethod
  readonly cases: number
  readonly patients: number
  /** Over cases, with its 95 % interval from a bootstrap of patients. */
  readonly dice_mean: number
  readonly dice_low: number
  readonly dice_high: number
  /** Deviation of the folds' means. */
  readonly dice_fold_sd: number
  readonly soft_dice_mean: number
  readonly threshold_mean: number
  readonly volume_ratio_mean: number
  readonly ece_mean: number
  readonly brier_mean: number
}

/** Two methods on the same cases: a row of comparisons.csv. Differences are the first minus the second. */
export interface ComparisonRow {
  readonly organ: string
  readonly sigma_mm: string
  readonly target: Target
  readonly first: StudyMethod
  readonly second: StudyMethod
  readonly cases: number
  readonly patients: number
  readonly difference: number
  readonly low: number
  readonly high: number
  readonly better: number
  readonly worse: number
  /** Wilcoxon's signed-rank test on patients' mean differences, … */
  readonly p: number
  /** … corrected by Holm over all comparisons of this target. */
  readonly p_holm: number
}

/** The questions of the study, as pairs of methods. */
export const comparedMethods: readonly (readonly [StudyMethod, StudyMethod])[] = [
  ['ce@half', 'soft-dice@half'],
  ['ce@case', 'ce@half'],
  ['ce@case', 'soft-dice@half'],
  ['ce@dataset', 'ce@half'],
  ['ce@dataset', 'soft-dice@half'],
  ['ce@rma', 'ce@case'],
  ['theory@case', 'theory@half'],
]

const targets: readonly Target[] = ['noisy', 'clean']

export function summarise(rows: readonly ScoreRow[], resamples: number): SummaryRow[] {
  return groupsOf(rows).flatMap(({ organ, sigma_mm, length_mm, methods }) =>
    targets.flatMap((target) =>
      [...methods].map(([method, own]): SummaryRow => {
        const dice = own.map((row) => diceOf(row, target))
        const patients = own.map(({ patient }) => patient)
        const interval = meanOf(dice, patients, resamples, [organ, sigma_mm, target, method])
        const mean = (value: (row: ScoreRow) => number) => average(own.map(value))
        return {
          organ,
          sigma_mm,
          length_mm,
          target,
          method,
          cases: own.length,
          patients: new Set(patients).size,
          dice_mean: interval.value,
          dice_low: interval.low,
          dice_high: interval.high,
          dice_fold_sd: deviation(foldMeans(own, dice)),
          soft_dice_mean: mean((row) => row.soft_dice),
          threshold_mean: mean((row) => row.threshold),
          volume_ratio_mean: mean((row) => row.volume_ratio),
          ece_mean: mean((row) => row.ece),
          brier_mean: mean((row) => row.brier),
        }
      }),
    ),
  )
}

export function compare(rows: readonly ScoreRow[], resamples: number): ComparisonRow[] {
  return targets.flatMap((target) => {
    const bare = groupsOf(rows).flatMap(({ organ, sigma_mm, methods }) =>
      comparedMethods.flatMap(([first, second]) => {
        const [a, b] = [methods.get(first), methods.get(second)]
        if (a === undefined || b === undefined) return []
        const key = [organ, sigma_mm, target, first, second] as const
        return [{ organ, sigma_mm, target, first, second, ...paired(a, b, target, resamples, key) }]
      }),
    )
    const corrected = holm(bare.map(({ p }) => p))
    return bare.map((row, i) => ({ ...row, p_holm: corrected[i] }))
  })
}

function paired(
  first: readonly ScoreRow[],
  second: readonly ScoreRow[],
  target: Target,
  resamples: number,
  key: readonly string[],
): Omit<ComparisonRow, 'organ' | 'sigma_mm' | 'target' | 'first' | 'second' | 'p_holm'> {
  const other = new Map(second.map((row) => [row.case, diceOf(row, target)]))
  const pairs = first.flatMap((row) => {
    const b = other.get(row.case)
    return b === undefined ? [] : [{ patient: row.patient, difference: diceOf(row, target) - b }]
  })
  const differences = pairs.map(({ difference }) => difference)
  const patients = pairs.map(({ patient }) => patient)
  const interval = meanOf(differences, patients, resamples, key)
  const distinct = [...new Set(patients)]
  const means = distinct.map((patient) =>
    average(pairs.filter((pair) => pair.patient === patient).map(({ difference }) => difference)),
  )
  return {
    cases: pairs.length,
    patients: distinct.length,
    difference: interval.value,
    low: interval.low,
    high: interval.high,
    better: differences.filter((d) => d > 0).length,
    worse: differences.filter((d) => d < 0).length,
    p: wilcoxonSignedRank(means).pValue,
  }
}

/** The mean over cases, with an interval from a bootstrap of patients. */
function meanOf(
  values: readonly number[],
  patients: readonly string[],
  draws: number,
  key: readonly (string | number)[],
): Interval {
  return bootstrap(patients, (drawn) => average(drawn.map((i) => values[i])), { draws, key })
}

interface Group {
  readonly organ: string
  readonly sigma_mm: string
  readonly length_mm: number
  readonly methods: ReadonlyMap<StudyMethod, readonly ScoreRow[]>
}

/**
 * Rows by organ, then by strength, then by method, each in the order of their first row; within a method by case, so
 * that no sum depends on the order of the rows.
 */
function groupsOf(rows: readonly ScoreRow[]): Group[] {
  const groups = new Map<string, { head: ScoreRow; methods: Map<StudyMethod, ScoreRow[]> }>()
  for (const row of rows) {
    const key = `${row.organ}\n${row.sigma_mm}\n${row.length_mm}`
    const group = groups.get(key) ?? { head: row, methods: new Map<StudyMethod, ScoreRow[]>() }
    groups.set(key, group)
    const method = row.method as StudyMethod
    const list = group.methods.get(method) ?? []
    group.methods.set(method, list)
    list.push(row)
  }
  const list = [...groups.values()].map(({ head, methods }) => ({
    organ: head.organ,
    sigma_mm: head.sigma_mm,
    length_mm: head.length_mm,
    methods: new Map([...methods].map(([method, own]) => [method, own.toSorted(byCase)])),
  }))
  const organs = [...new Set(list.map(({ organ }) => organ))]
  return organs.flatMap((organ) => list.filter((group) => group.organ === organ))
}

function byCase(a: ScoreRow, b: ScoreRow): number {
  return a.case < b.case ? -1 : Number(a.case > b.case)
}

function diceOf(row: ScoreRow, target: Target): number {
  return target === 'noisy' ? row.dice_noisy : row.dice_clean
}

function foldMeans(rows: readonly ScoreRow[], values: readonly number[]): number[] {
  const folds = [...new Set(rows.map(({ fold }) => fold))]
  return folds.map((fold) => average(values.filter((_, i) => rows[i].fold === fold)))
}

function average(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}

/** Of a sample (n − 1); 0 for a single value. */
function deviation(values: readonly number[]): number {
  const mean = average(values)
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, values.length - 1))
}
