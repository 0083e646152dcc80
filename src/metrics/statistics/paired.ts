import { InputError } from '../../volume/errors.ts'
import { bootstrap, type Interval } from './bootstrap.ts'
import { type WilcoxonTest, wilcoxonSignedRank } from './wilcoxon.ts'

/** Options of `comparePaired`. */
export interface PairedOptions {
  /** Of each case its patient, whose cases are not independent; by default every case is a patient of its own. */
  readonly patients?: readonly string[] | undefined
  /** Which scores are better: higher ones, as of Dice, or lower ones, as of distances; default `higher`. */
  readonly better?: 'higher' | 'lower' | undefined
  /** Mean differences up to this, in either direction, do not matter; without it nothing but equal scores is. */
  readonly margin?: number | undefined
  /** How often patients are drawn for the interval; default 10,000. */
  readonly draws?: number | undefined
  /** Fixes the random numbers of the interval. */
  readonly key?: readonly (number | string)[]
}

/**
 * What the interval of the mean difference says. `equivalent`: it lies within the margin, or every pair is equal; this
 * is the test of two one-sided hypotheses (Schuirmann, 1987) at 2.5 % each. `better` or `worse`: it does not, and lies
 * on one side of 0. `undecided`: neither, or fewer than 6 patients, with which no rank test tells anything at 5 %.
 */
export type PairedVerdict = 'better' | 'worse' | 'equivalent' | 'undecided'

/** How the first of two methods compares with the second on the same cases. */
export interface PairedComparison {
  /** Pairs of scores, the patients they come from, and pairs left out since a score of them does not exist. */
  readonly cases: number
  readonly patients: number
  readonly leftOut: number
  readonly meanFirst: number
  readonly meanSecond: number
  /** The mean over cases of first minus second, with its 95 % bootstrap interval over patients. */
  readonly difference: Interval
  /** Cases in which the first is better, worse, and exactly as good. */
  readonly betterCases: number
  readonly worseCases: number
  readonly equalCases: number
  /** Wilcoxon's signed-rank test of the mean difference of each patient. */
  readonly wilcoxon: WilcoxonTest
  readonly verdict: PairedVerdict
}

/** With fewer, the smallest p of the signed-rank test is 2/2⁵ = 0.06. */
const fewestPatients = 6

/**
 * Compares two methods by their scores of the same cases, in the same order. Scores may be null, as a distance is where
 * a mask is empty: then the pair is left out, and counted.
 *
 * @returns undefined where no pair of scores exists
 * @throws InputError where the lists differ in length, or the margin is not a positive number
 * @example
 * comparePaired([0.9, 0.8, 0.7], [0.8, 0.8, 0.5])?.difference.value // 0.1
 */
export function comparePaired(
  first: readonly (number | null)[],
  second: readonly (number | null)[],
  options: PairedOptions = {},
): PairedComparison | undefined {
  const { better = 'higher', margin, draws = 10_000, key = [] } = options
  const patients = options.patients ?? first.map((_, i) => String(i))
  if (second.length !== first.length || patients.length !== first.length) {
    const lengths = `${first.length}, ${second.length} and ${patients.length}`
    throw new InputError('scores', `have lengths ${lengths} (first, second, patients); give one of each for every case`)
  }
  if (margin !== undefined && !(margin > 0)) throw new InputError('margin', `is ${margin}; give a number above 0`)
  const pairs = first.flatMap((a, i) => {
    const b = second[i]
    return a === null || b === null ? [] : [{ a, b, difference: a - b, patient: patients[i] }]
  })
  if (pairs.length === 0) return undefined
  const byPatient = new Map<string, number[]>()
  for (const { patient, difference } of pairs) {
    byPatient.set(patient, [...(byPatient.get(patient) ?? []), difference])
  }
  const difference = bootstrap(
    pairs.map(({ patient }) => patient),
    (drawn) => mean(drawn.map((i) => pairs[i].difference)),
    { draws, key },
  )
  const higherCases = pairs.filter(({ a, b }) => a > b).length
  const lowerCases = pairs.filter(({ a, b }) => a < b).length
  const isHigherBetter = better === 'higher'
  return {
    cases: pairs.length,
    patients: byPatient.size,
    leftOut: first.length - pairs.length,
    meanFirst: mean(pairs.map(({ a }) => a)),
    meanSecond: mean(pairs.map(({ b }) => b)),
    difference,
    betterCases: isHigherBetter ? higherCases : lowerCases,
    worseCases: isHigherBetter ? lowerCases : higherCases,
    equalCases: pairs.length - higherCases - lowerCases,
    wilcoxon: wilcoxonSignedRank([...byPatient.values()].map(mean)),
    verdict: higherCases + lowerCases === 0 ? 'equivalent' : verdictOn(difference, byPatient.size, better, margin),
  }
}

/** See `PairedVerdict`. */
export function verdictOn(
  { low, high }: Pick<Interval, 'low' | 'high'>,
  patients: number,
  better: 'higher' | 'lower',
  margin = 0,
): PairedVerdict {
  if (patients < fewestPatients) return 'undecided'
  if (low > -margin && high < margin) return 'equivalent'
  if (low > 0) return better === 'higher' ? 'better' : 'worse'
  if (high < 0) return better === 'higher' ? 'worse' : 'better'
  return 'undecided'
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
