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
  readonly replicates: number
  /** Over cases and replicates, with its 95 % interval from a bootstrap of patients and of replicates. */
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
  readonly nll_mean: number
}

/** What is compared: a method, or what the first of two gains over the second. */
export type Compared = StudyMethod | `${StudyMethod}-${StudyMethod}`

/**
 * Two methods, or two gains, on the same cases: a row of comparisons.csv. Differences are the first minus the second.
 */
export interface ComparisonRow {
  readonly organ: string
  readonly sigma_mm: string
  readonly target: Target
  readonly first: Compared
  readonly second: Compared
  readonly cases: number
  readonly patients: number
  readonly replicates: number
  readonly difference: number
  readonly low: number
  readonly high: number
  /** Of pairs of a case and a replicate. */
  readonly better: number
  readonly worse: number
  /** Wilcoxon's signed-rank test on patients' mean differences over replicates, … */
  readonly p: number
  /** … corrected by Holm over all comparisons of this target. */
  readonly p_holm: number
}

/** The questions of the study, as pairs of methods. */
export const comparedMethods: readonly (readonly [Compared, Compared])[] = [
  ['ce@half', 'soft-dice@half'],
  ['ce@case', 'ce@half'],
  ['ce@case', 'soft-dice@half'],
  ['ce@dataset', 'ce@half'],
  ['ce@dataset', 'soft-dice@half'],
  ['ce@rma', 'ce@case'],
  ['ce@volume', 'ce@half'],
  ['ce@volume', 'ce@case'],
  ['ce@volume', 'soft-dice@half'],
  ['ce@calibrated', 'ce@case'],
  ['ce@calibrated', 'soft-dice@half'],
  ['dice-ce@half', 'soft-dice@half'],
  ['dice-ce@case', 'dice-ce@half'],
  ['dice-ce@calibrated', 'dice-ce@case'],
  ['dice-ce@case', 'soft-dice@half'],
  ['dice-ce@volume', 'soft-dice@half'],
  ['ce@case', 'dice-ce@case'],
  ['ce@calibrated', 'dice-ce@calibrated'],
  // What a cut by expected Dice is worth depends on the loss: the gain for one less the gain for the other.
  ['ce@rma-ce@half', 'dice-ce@rma-dice-ce@half'],
  ['ce@case-ce@half', 'dice-ce@case-dice-ce@half'],
  ['theory@case', 'theory@half'],
  ['theory@volume', 'theory@half'],
  ['theory@volume', 'theory@case'],
]

const targets: readonly Target[] = ['noisy', 'clean']

export function summarise(rows: readonly ScoreRow[], resamples: number): SummaryRow[] {
  return groupsOf(rows).flatMap(({ organ, sigma_mm, length_mm, methods }) =>
    targets.flatMap((target) =>
      [...methods].map(([method, own]): SummaryRow => {
        const dice = own.map((row) => diceOf(row, target))
        const interval = meanOf(dice, own, resamples, [organ, sigma_mm, target, method])
        const mean = (value: (row: ScoreRow) => number) => average(own.map(value))
        return {
          organ,
          sigma_mm,
          length_mm,
          target,
          method,
          ...countsOf(own),
          dice_mean: interval.value,
          dice_low: interval.low,
          dice_high: interval.high,
          dice_fold_sd: deviation(foldMeans(own, dice)),
          soft_dice_mean: mean((row) => row.soft_dice),
          threshold_mean: mean((row) => row.threshold),
          volume_ratio_mean: mean((row) => row.volume_ratio),
          ece_mean: mean((row) => row.ece),
          brier_mean: mean((row) => row.brier),
          nll_mean: mean((row) => row.nll),
        }
      }),
    ),
  )
}

export function compare(rows: readonly ScoreRow[], resamples: number): ComparisonRow[] {
  return targets.flatMap((target) => {
    const bare = groupsOf(rows).flatMap(({ organ, sigma_mm, methods }) =>
      comparedMethods.flatMap(([first, second]) => {
        const [a, b] = [first, second].map((compared) => scoresOf(compared, methods, target))
        if (a === undefined || b === undefined) return []
        const key = [organ, sigma_mm, target, first, second] as const
        return [{ organ, sigma_mm, target, first, second, ...paired(a, b, resamples, key) }]
      }),
    )
    const corrected = holm(bare.map(({ p }) => p))
    return bare.map((row, i) => ({ ...row, p_holm: corrected[i] }))
  })
}

/** Of one case in one replicate. */
interface Score extends Pick<ScoreRow, 'case' | 'patient' | 'replicate'> {
  readonly value: number
}

/** The Dice of a method's cases, or its difference to another's; undefined where a method was not run. */
function scoresOf(compared: Compared, methods: Group['methods'], target: Target): readonly Score[] | undefined {
  const own = methods.get(compared as StudyMethod)
  if (own !== undefined) return own.map((row) => ({ ...row, value: diceOf(row, target) }))
  const [[a, b] = []] = [...methods.keys()].flatMap((a) =>
    [...methods.keys()].flatMap((b) => (`${a}-${b}` === compared ? [[a, b]] : [])),
  )
  const [first, second] = [a, b].map((method) => method && scoresOf(method, methods, target))
  return first && second ? matched(first, second) : undefined
}

/** First minus second, of what both have. */
function matched(first: readonly Score[], second: readonly Score[]): Score[] {
  const key = (score: Score) => JSON.stringify([score.case, score.replicate])
  const other = new Map(second.map((score) => [key(score), score.value]))
  return first.flatMap((score) => {
    const b = other.get(key(score))
    return b === undefined ? [] : [{ ...score, value: score.value - b }]
  })
}

function paired(
  first: readonly Score[],
  second: readonly Score[],
  resamples: number,
  key: readonly string[],
): Omit<ComparisonRow, 'organ' | 'sigma_mm' | 'target' | 'first' | 'second' | 'p_holm'> {
  const pairs = matched(first, second)
  const differences = pairs.map(({ value }) => value)
  const interval = meanOf(differences, pairs, resamples, key)
  const distinct = [...new Set(pairs.map(({ patient }) => patient))]
  const means = distinct.map((patient) =>
    average(pairs.filter((pair) => pair.patient === patient).map(({ value }) => value)),
  )
  return {
    ...countsOf(pairs),
    difference: interval.value,
    low: interval.low,
    high: interval.high,
    better: differences.filter((d) => d > 0).length,
    worse: differences.filter((d) => d < 0).length,
    p: wilcoxonSignedRank(means).pValue,
  }
}

type Repeated = Pick<ScoreRow, 'case' | 'patient' | 'replicate'>

function countsOf(rows: readonly Repeated[]) {
  const count = (of: (row: Repeated) => string | number) => new Set(rows.map(of)).size
  return {
    cases: count((row) => row.case),
    patients: count(({ patient }) => patient),
    replicates: count(({ replicate }) => replicate),
  }
}

/** The mean over cases and replicates, with an interval from a bootstrap of patients and of replicates. */
function meanOf(
  values: readonly number[],
  rows: readonly Repeated[],
  draws: number,
  key: readonly (string | number)[],
): Interval {
  const crossed = rows.map(({ replicate }) => String(replicate))
  const patients = rows.map(({ patient }) => patient)
  const mean = (drawn: readonly number[]) => {
    let sum = 0
    for (const i of drawn) sum += values[i]
    return sum / drawn.length
  }
  return bootstrap(patients, mean, { draws, crossed, key })
}

interface Group {
  readonly organ: string
  readonly sigma_mm: string
  readonly length_mm: number
  readonly methods: ReadonlyMap<StudyMethod, readonly ScoreRow[]>
}

/**
 * Rows by organ, then by strength, then by method, each in the order of their first row; within a method by case and
 * replicate, so that no sum depends on the order of the rows.
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
  return a.case < b.case ? -1 : Number(a.case > b.case) || a.replicate - b.replicate
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
