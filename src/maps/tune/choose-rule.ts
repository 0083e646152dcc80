import { patientFolds } from '../../datasets/folds.ts'
import { calibrated, fitBetaCalibration } from '../../metrics/beta-calibration.ts'
import { bestMeanCut, bestSoftCut, CutTable, diceAtCuts, halfCut, tableCuts } from '../../metrics/cut-table.ts'
import { bootstrap, type Interval } from '../../metrics/statistics/bootstrap.ts'
import { fitTemperature } from '../../metrics/temperature.ts'
import { decideTable, evidenceOf, smallestLikely, type TableEvidence } from '../table-decision.ts'
import type { ClassRule } from './tuned.ts'

/** One case of a class: its map against its reference, at every cut. */
export interface TunedCase {
  readonly case: string
  /** Cases of one patient are never parted by a fold. */
  readonly patient: string
  readonly table: CutTable
  readonly voxelMm3: number
}

/** The ways to cut that are tried, the simplest first. `case`: at each case's own t*; `fixed`: one cut for all. */
export const candidates = ['half', 'case', 'pooled', 'fixed', 'case temperature', 'case beta'] as const
export type Candidate = (typeof candidates)[number]

/** What was chosen for a class, and what it promises. */
export interface RuleChoice {
  readonly candidate: Candidate
  /** Fitted to all cases, for new ones. */
  readonly rule: ClassRule
  readonly cases: number
  readonly patients: number
  /** Mean Dice at ½, and of the whole procedure in cases that neither its choice nor its fits have seen. */
  readonly diceAtHalf: number
  readonly dice: number
  /** The second minus the first, with its 95 % bootstrap interval over patients. */
  readonly gain: Interval
  /** Every candidate, cross-fitted: its mean Dice, and its difference to ½. The choice is made of these. */
  readonly tried: readonly { readonly candidate: Candidate; readonly dice: number; readonly difference: Interval }[]
}

const outerFolds = 10
const innerFolds = 5
/** With fewer, a bootstrap interval tells no gain from chance (n of one sign are not rare), and ½ stays. */
const fewestPatients = 6
/** One patient is left out at least where the promise is made: there the choice must have enough, too. */
const fewestOfAll = fewestPatients + 1

/**
 * Chooses how a class is cut, by nested cross-validation over patients: where nothing is better than ½ by its interval,
 * ½ stays. The promise is made by folds that the choice never saw.
 *
 * @param given at least two cases of two patients
 * @param alone whether it is the only class of its images (see `presenceOf`)
 */
export function chooseRule(given: readonly TunedCase[], alone: boolean): RuleChoice {
  const cases = given.toSorted((a, b) => (a.case < b.case ? -1 : 1))
  const curves = cases.map(({ table }) => diceAtCuts(table))
  const patients = cases.map(({ patient }) => patient)
  const everyone = [...cases.keys()]
  const scorer = new Scorer(cases, curves, alone)
  const outer = foldsOf(patients, everyone, outerFolds)
  const dice = new Float64Array(cases.length)
  for (const test of outer) {
    const train = everyone.filter((i) => !test.includes(i))
    const { candidate } = select(scorer, patients, train)
    const fit = scorer.fit(candidate, train)
    for (const i of test) dice[i] = fit.dice(i)
  }
  const half = curves.map((curve) => curve[halfCut])
  const enough = new Set(patients).size >= fewestOfAll
  const { candidate, tried } = enough ? select(scorer, patients, everyone) : onlyHalf
  const mean = (values: ArrayLike<number>) => everyone.reduce((sum, i) => sum + values[i], 0) / cases.length
  return {
    candidate,
    rule: scorer.fit(candidate, everyone).rule,
    cases: cases.length,
    patients: new Set(patients).size,
    diceAtHalf: mean(half),
    dice: mean(dice),
    gain: meanInterval(
      patients,
      half.map((value, i) => dice[i] - value),
    ),
    tried,
  }
}

const onlyHalf: Pick<RuleChoice, 'candidate' | 'tried'> = { candidate: 'half', tried: [] }

/** The candidate with the largest cross-fitted mean Dice among those that are better than ½ by their interval. */
function select(
  scorer: Scorer,
  patients: readonly string[],
  train: readonly number[],
): Pick<RuleChoice, 'candidate' | 'tried'> {
  const own = train.map((i) => patients[i])
  if (new Set(own).size < fewestPatients) return onlyHalf
  const folds = foldsOf(patients, train, innerFolds)
  const dice = new Map(candidates.map((candidate) => [candidate, new Map<number, number>()]))
  for (const test of folds) {
    const others = train.filter((i) => !test.includes(i))
    for (const candidate of candidates) {
      const fit = scorer.fit(candidate, others)
      for (const i of test) dice.get(candidate)?.set(i, fit.dice(i))
    }
  }
  const of = (candidate: Candidate) => train.map((i) => dice.get(candidate)?.get(i) ?? 0)
  const half = of('half')
  const tried = candidates.map((candidate) => {
    const values = of(candidate)
    const difference = meanInterval(
      own,
      values.map((value, i) => value - half[i]),
    )
    return { candidate, dice: values.reduce((a, b) => a + b, 0) / values.length, difference }
  })
  const better = tried.filter(({ difference }) => difference.low > 0)
  const best = better.reduce((a, b) => (b.dice > a.dice + 1e-9 ? b : a), better[0] ?? tried[0])
  return { candidate: best.candidate, tried }
}

/** Fits candidates to some cases and applies them to others. */
class Scorer {
  readonly #cases: readonly TunedCase[]
  readonly #curves: readonly Float64Array[]
  readonly #alone: boolean
  /** Evidence without a calibration is asked for in every fold. */
  readonly #raw: readonly TableEvidence[]

  constructor(cases: readonly TunedCase[], curves: readonly Float64Array[], alone: boolean) {
    this.#cases = cases
    this.#curves = curves
    this.#alone = alone
    this.#raw = cases.map(({ table }) => evidenceOf(table, (p) => p))
  }

  fit(candidate: Candidate, train: readonly number[]): { readonly rule: ClassRule; dice(i: number): number } {
    const curves = this.#curves
    const at = (cut: number) => ({
      rule: { at: tableCuts[cut] },
      dice: (i: number) => curves[i][cut],
    })
    if (candidate === 'half') return at(halfCut)
    if (candidate === 'fixed') return at(bestMeanCut(train.map((i) => curves[i])))
    if (candidate === 'pooled') return at(bestSoftCut(pooled(train.map((i) => this.#cases[i].table))).cut)
    const tables = train.map((i) => this.#cases[i].table)
    const calibration =
      candidate === 'case temperature'
        ? fitTemperature(tables)
        : candidate === 'case beta'
          ? fitBetaCalibration(tables)
          : undefined
    const evidence = (i: number) =>
      calibration ? evidenceOf(this.#cases[i].table, (p) => calibrated(calibration, p)) : this.#raw[i]
    const sizes = train.map((i) => ({ ...evidence(i), total: evidence(i).total * this.#cases[i].voxelMm3 }))
    const smallestMm3 = smallestLikely(sizes)
    return {
      rule: {
        ...(calibration && { calibration }),
        ...(smallestMm3 !== undefined && { smallestMm3 }),
      },
      dice: (i) => {
        const smallest = smallestMm3 === undefined ? undefined : smallestMm3 / this.#cases[i].voxelMm3
        const { cut } = decideTable(evidence(i), smallest, 'auto', this.#alone)
        if (cut !== undefined) return curves[i][cut]
        return this.#cases[i].table.hits.some((n) => n > 0) ? 0 : 1
      },
    }
  }
}

/** Parts of the cases, no patient in two of them. */
function foldsOf(patients: readonly string[], cases: readonly number[], most: number): number[][] {
  const own = cases.map((i) => patients[i])
  const count = Math.min(most, new Set(own).size)
  const folds = patientFolds(own, count, 0)
  return Array.from({ length: count }, (_, fold) => cases.filter((_, n) => folds[n] === fold))
}

function meanInterval(patients: readonly string[], values: readonly number[]): Interval {
  const mean = (drawn: readonly number[]) => drawn.reduce((sum, i) => sum + values[i], 0) / drawn.length
  return bootstrap(patients, mean, { key: ['tune'] })
}

function pooled(tables: readonly CutTable[]): CutTable {
  const all = new CutTable()
  for (const { counts, hits, sums } of tables) {
    for (let b = 0; b < counts.length; b++) {
      all.counts[b] += counts[b]
      all.hits[b] += hits[b]
      all.sums[b] += sums[b]
    }
  }
  return all
}
