import type { Presence, PresenceRule } from '../decision/decode/presence.ts'
import { type BetaCalibration, calibrated, fitBetaCalibration } from '../metrics/beta-calibration.ts'
import { bestMeanCut, type CutTable, diceAtCuts, halfCut, tableCuts } from '../metrics/cut-table.ts'
import { bootstrap, type Interval } from '../metrics/statistics/bootstrap.ts'
import { decideTables, type TableDecision } from './table-decision.ts'

/** The ways to choose a threshold that are compared against references. */
export const thresholdRules = ['half', 'atCaseThreshold', 'calibrated', 'fixed'] as const
export type ThresholdRule = (typeof thresholdRules)[number]

/** One case's threshold and Dice by each method. */
export type CaseScores = Readonly<Record<ThresholdRule, { readonly threshold: number; readonly dice: number }>>

/** What references say about the thresholds of one class. */
export interface ThresholdComparison {
  readonly cases: readonly CaseScores[]
  /**
   * Mean Dice of each method, and its mean difference to ½, paired by case, with 95 % bootstrap intervals over cases.
   */
  readonly means: Readonly<Record<ThresholdRule, Interval>>
  readonly differences: Readonly<Record<Exclude<ThresholdRule, 'half'>, Interval>>
  /** The single threshold with the largest mean Dice over all cases, and where it lies when cases are drawn again. */
  readonly fixedThreshold: Interval
  /** The calibration fitted to all cases, for use on new ones. */
  readonly calibration: BetaCalibration
  /** Expected calibration error over the voxels with m ≥ 0.01, raw and calibrated by folds. */
  readonly calibrationError: { readonly raw: number; readonly calibrated: number }
  /** Mean Dice against the threshold, at every cut. */
  readonly meanDice: Float64Array
  /** Share of reference voxels where the raw and the calibrated probability is around x. */
  readonly reliability: readonly { readonly predicted: number; readonly observed: number; readonly voxels: number }[]
}

/** One class of one case. */
export interface ComparedCase {
  readonly case: string
  readonly table: CutTable
  /** What was decided when its mask was written; by default the same rule is asked of the table. */
  readonly presence?: Presence | undefined
}

/** Cases are dealt to at most so many folds: what is fitted is never applied to a case it was fitted to. */
const folds = 10

/**
 * Compares, for one class, the cut at ½, each case's own t*, t* after calibration, and one threshold tuned on
 * references. A class that the rule of presence leaves out scores as the empty mask that is written. The last two are
 * cross-fitted: a case's calibration and fixed threshold come from the cases of the other folds.
 *
 * @param given at least two cases, by name
 * @param alone whether it is the only class of its images (see `presenceOf`)
 */
export function compareThresholds(
  given: readonly ComparedCase[],
  rule: PresenceRule = 'auto',
  alone = false,
): ThresholdComparison {
  // In the order of their names, so that neither folds nor intervals depend on the order in which cases were given.
  const sorted = given.toSorted((a, b) => (a.case < b.case ? -1 : Number(a.case > b.case)))
  const names = sorted.map((one) => one.case)
  const tables = sorted.map(({ table }) => table)
  const curves = tables.map(diceAtCuts)
  const count = Math.min(folds, tables.length)
  const fits = Array.from({ length: count }, (_, fold) => {
    const others = [...tables.keys()].filter((i) => i % count !== fold)
    return {
      calibration: fitBetaCalibration(others.map((i) => tables[i])),
      fixed: bestMean(curves, others),
    }
  })
  const calibrate = (i: number) => (p: number) => calibrated(fits[i % count].calibration, p)
  const raw = decideTables(tables, () => (p) => p, rule, alone).map((decision, i) =>
    asWritten(decision, sorted[i].presence),
  )
  const recalibrated = decideTables(tables, calibrate, rule, alone)
  const cases = tables.map((table, i): CaseScores => {
    const at = (cut: number) => ({ threshold: tableCuts[cut], dice: curves[i][cut] })
    const by = ({ cut, best }: TableDecision) =>
      cut === undefined ? { threshold: tableCuts[best], dice: emptyMaskDice(table) } : at(cut)
    return {
      half: at(halfCut),
      atCaseThreshold: by(raw[i]),
      calibrated: by(recalibrated[i]),
      fixed: at(fits[i % count].fixed),
    }
  })
  const options = { draws: tables.length > 200 ? 200 : 1000 }
  const mean = (value: (i: number) => number) =>
    bootstrap(names, (drawn) => drawn.reduce((sum, i) => sum + value(i), 0) / drawn.length, options)
  const over = <K extends ThresholdRule>(methods: readonly K[], value: (method: K, i: number) => number) =>
    Object.fromEntries(methods.map((method) => [method, mean((i) => value(method, i))])) as Record<K, Interval>
  const best = bootstrap(names, (drawn) => bestMean(curves, drawn), options)
  const calibration = fitBetaCalibration(tables)
  return {
    cases,
    means: over(thresholdRules, (method, i) => cases[i][method].dice),
    differences: over(
      ['atCaseThreshold', 'calibrated', 'fixed'],
      (method, i) => cases[i][method].dice - cases[i].half.dice,
    ),
    fixedThreshold: {
      value: tableCuts[best.value],
      low: tableCuts[Math.round(best.low)],
      high: tableCuts[Math.round(best.high)],
    },
    calibration,
    calibrationError: {
      raw: calibrationError(tables, () => (p) => p),
      calibrated: calibrationError(tables, calibrate),
    },
    meanDice: Float64Array.from(
      tableCuts,
      (_, cut) => curves.reduce((sum, curve) => sum + curve[cut], 0) / curves.length,
    ),
    reliability: reliability(tables),
  }
}

/** The decision about a table, as it was made when the mask was written from the whole map. */
function asWritten(decision: TableDecision, presence: Presence | undefined): TableDecision {
  if (presence === undefined) return decision
  const cut = { optimal: decision.best, half: halfCut, empty: undefined }[presence.mask]
  return { cut, best: decision.best }
}

/** Dice of an empty mask against the reference: 1 where that is empty too. */
function emptyMaskDice({ hits }: CutTable): number {
  return hits.every((n) => n === 0) ? 1 : 0
}

/** The cut with the largest mean Dice over the cases drawn. */
function bestMean(curves: readonly Float64Array[], drawn: readonly number[]): number {
  return bestMeanCut(drawn.map((i) => curves[i]))
}

/** Voxels below are background that no threshold takes in; they would drown everything else. */
const leastProbability = 0.01

/** Mean |predicted − observed| over the bins of the tables, weighted by voxels. */
function calibrationError(tables: readonly CutTable[], map: (i: number) => (p: number) => number): number {
  const parts = Array.from({ length: 20 }, () => ({ predicted: 0, hits: 0, count: 0 }))
  for (const [i, { counts, sums, hits }] of tables.entries()) {
    const calibrate = map(i)
    for (let b = 0; b < counts.length; b++) {
      if (counts[b] === 0 || sums[b] / counts[b] < leastProbability) continue
      const p = calibrate(sums[b] / counts[b])
      const part = parts[Math.min(19, Math.floor(20 * p))]
      part.predicted += p * counts[b]
      part.hits += hits[b]
      part.count += counts[b]
    }
  }
  const total = parts.reduce((sum, { count }) => sum + count, 0)
  return total === 0 ? 0 : parts.reduce((sum, { predicted, hits }) => sum + Math.abs(predicted - hits), 0) / total
}

function reliability(tables: readonly CutTable[]): ThresholdComparison['reliability'] {
  const parts = Array.from({ length: 20 }, () => ({ sum: 0, hits: 0, voxels: 0 }))
  for (const { counts, sums, hits } of tables) {
    for (let b = 0; b < counts.length; b++) {
      if (counts[b] === 0 || sums[b] / counts[b] < leastProbability) continue
      const part = parts[Math.min(19, Math.floor((20 * sums[b]) / counts[b]))]
      part.sum += sums[b]
      part.hits += hits[b]
      part.voxels += counts[b]
    }
  }
  return parts.flatMap(({ sum, hits, voxels }) =>
    voxels === 0 ? [] : [{ predicted: sum / voxels, observed: hits / voxels, voxels }],
  )
}
