import { patientFolds } from '../../datasets/folds.ts'
import { bootstrap, type Interval } from '../../metrics/statistics/bootstrap.ts'
import { newMeanInterval } from '../../metrics/statistics/student.ts'
import { type Candidate, CandidateFits, isPlain, type TunedCase } from './candidates.ts'
import type { ClassRule } from './rule.ts'

/** A candidate, cross-fitted. */
export interface TriedCandidate extends Candidate {
  /** Its mean Dice. */
  readonly dice: number
  /** Its difference to ½. */
  readonly difference: Interval
}

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
  /** The same with the interval for the mean over as many new patients. */
  readonly gainOfNew: Interval
  /** Every candidate that is not the same as a simpler one. The choice is made of these. */
  readonly tried: readonly TriedCandidate[]
  /** Dice of each case at ½ and, unseen by choice and fits, tuned; in the order of their names. */
  readonly scores: readonly { readonly case: string; readonly atHalf: number; readonly tuned: number }[]
  /** Mean Dice at every one of `tableCuts`, without post-processing. */
  readonly meanDice: Float64Array
}

/** Less than a table shows. */
const noDifference = 1e-6

/** The candidates that tell how the choice came about: all cuts, and with the chosen one what changes the Dice. */
export function toldCandidates({ candidate, tried }: RuleChoice): readonly TriedCandidate[] {
  const chosen = tried.find((each) => isPlain(each) && each.cut === candidate.cut)
  return tried.filter((each) => {
    if (isPlain(each)) return true
    return each.cut === candidate.cut && Math.abs(each.dice - (chosen?.dice ?? 0)) > noDifference
  })
}

const outerFolds = 10
const innerFolds = 5
/** With fewer, a bootstrap interval tells no gain from chance (n of one sign are not rare), and ½ stays. */
const fewestPatients = 6
/** One patient is left out at least where the promise is made: there the choice must have enough, too. */
const fewestOfAll = fewestPatients + 1

const onlyHalf: Candidate = { cut: 'half', holes: false, keep: 'all' }

/**
 * Chooses how a class is cut and post-processed, by nested cross-validation over patients: where nothing is better than
 * ½ by its interval, ½ stays; masks are post-processed only where that is better by its interval than the same cut
 * without. The promise is made by folds that the choice never saw.
 *
 * @param given at least two cases of two patients
 * @param alone whether it is the only class of its images (see `presenceOf`)
 */
export function chooseRule(given: readonly TunedCase[], alone: boolean): RuleChoice {
  const cases = given.toSorted((a, b) => (a.case < b.case ? -1 : 1))
  const patients = cases.map(({ patient }) => patient)
  const everyone = [...cases.keys()]
  const fits = new CandidateFits(cases, alone)
  const dice = new Float64Array(cases.length)
  for (const test of foldsOf(patients, everyone, outerFolds)) {
    const train = everyone.filter((i) => !test.includes(i))
    const fit = fits.fit(crossFit(fits, patients, train)?.best() ?? onlyHalf, train)
    for (const i of test) dice[i] = fit.dice(i)
  }
  const half = everyone.map((i) => fits.half(i))
  const enough = new Set(patients).size >= fewestOfAll
  const found = enough ? crossFit(fits, patients, everyone) : undefined
  const candidate = found?.best() ?? onlyHalf
  const gains = half.map((value, i) => dice[i] - value)
  const mean = (values: ArrayLike<number>) => everyone.reduce((sum, i) => sum + values[i], 0) / cases.length
  return {
    candidate,
    rule: fits.fit(candidate, everyone).rule,
    cases: cases.length,
    patients: new Set(patients).size,
    diceAtHalf: mean(half),
    dice: mean(dice),
    gain: meanInterval(patients, gains),
    gainOfNew: newMeanInterval(patients, gains),
    tried: found?.tried() ?? [],
    scores: cases.map(({ case: name }, i) => ({ case: name, atHalf: half[i], tuned: dice[i] })),
    meanDice: fits.meanDice(),
  }
}

/** Scores every candidate by folds of some of the cases; undefined where they are of too few patients. */
function crossFit(fits: CandidateFits, patients: readonly string[], train: readonly number[]): CrossFit | undefined {
  const own = train.map((i) => patients[i])
  if (new Set(own).size < fewestPatients) return undefined
  const distinct = fits.distinct()
  const scores = new Map(distinct.map((candidate) => [candidate, new Float64Array(train.length)]))
  const place = new Map(train.map((i, n) => [i, n]))
  for (const test of foldsOf(patients, train, innerFolds)) {
    const others = train.filter((i) => !test.includes(i))
    for (const [candidate, dice] of scores) {
      const fit = fits.fit(candidate, others)
      for (const i of test) dice[place.get(i) ?? 0] = fit.dice(i)
    }
  }
  return new CrossFit(own, scores)
}

/** Cross-fitted scores of all candidates, case by case. */
class CrossFit {
  readonly #patients: readonly string[]
  readonly #scores: ReadonlyMap<Candidate, Float64Array>

  constructor(patients: readonly string[], scores: ReadonlyMap<Candidate, Float64Array>) {
    this.#patients = patients
    this.#scores = scores
  }

  /**
   * The candidate with the largest mean Dice among those that are better than ½ by their interval, and where masks are
   * post-processed, better than the same cut without. Of equal ones the simplest.
   */
  best(): Candidate | undefined {
    const ranked = [...this.#scores]
      .map(([candidate, dice]) => ({ candidate, rank: -Math.round(1e9 * meanOf(dice)) }))
      .sort((a, b) => a.rank - b.rank)
    const found = ranked.find(({ candidate }) => {
      if (!(this.#difference(candidate, onlyHalf).low > 0)) return false
      return isPlain(candidate) || this.#difference(candidate, { ...onlyHalf, cut: candidate.cut }).low > 0
    })
    return found?.candidate
  }

  tried(): TriedCandidate[] {
    return [...this.#scores].map(([candidate, dice]) => {
      return { ...candidate, dice: meanOf(dice), difference: this.#difference(candidate, onlyHalf) }
    })
  }

  #difference(one: Candidate, other: Candidate): Interval {
    const [a, b] = [one, other].map((each) => this.#of(each))
    return meanInterval(
      this.#patients,
      Array.from(a, (value, i) => value - b[i]),
    )
  }

  #of(wanted: Candidate): Float64Array {
    for (const [{ cut, holes, keep }, dice] of this.#scores) {
      if (cut === wanted.cut && holes === wanted.holes && keep === wanted.keep) return dice
    }
    throw new Error('not scored')
  }
}

const meanOf = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length

/** Parts of the cases, no patient in two of them. */
function foldsOf(patients: readonly string[], cases: readonly number[], most: number): number[][] {
  const own = cases.map((i) => patients[i])
  const count = Math.min(most, new Set(own).size)
  const folds = patientFolds(own, count, 0)
  return Array.from({ length: count }, (_, fold) => cases.filter((_, n) => folds[n] === fold))
}

function meanInterval(patients: readonly string[], values: readonly number[]): Interval {
  if (values.every((value) => value === 0)) return { value: 0, low: 0, high: 0 }
  const mean = (drawn: readonly number[]) => drawn.reduce((sum, i) => sum + values[i], 0) / drawn.length
  return bootstrap(patients, mean, { key: ['tune'] })
}
