/** A measure of agreement as the page shows it. */
export interface PageMetric {
  readonly key: string
  /** Its name with its unit. */
  readonly title: string
  /** Which values are good: large ones, small ones, or those near 0. */
  readonly better: 'high' | 'low' | 'zero'
  /** Decimals that its values deserve at least. */
  readonly decimals: number
  /** Whether its distributions are drawn; the others are in tables only. */
  readonly drawn: boolean
}

/** A mean over cases, with its 95 % interval. */
export interface PageMean {
  readonly cases: number
  readonly mean: number
  readonly sd: number
  readonly low: number
  readonly high: number
}

/**
 * A value of each label and metric; undefined where it does not exist: the distance to nothing, or a label that was not
 * scored.
 */
export type ByLabelAndMetric<T> = readonly (readonly (T | undefined)[] | undefined)[]

export interface PageCase {
  readonly name: string
  readonly values: ByLabelAndMetric<number>
  /** It has no prediction: it scores as an empty one. */
  readonly missing: boolean
}

/** The scores of one prediction of a cohort. */
export interface PageScores {
  /** What the prediction is called: its folder. */
  readonly name: string
  readonly labels: readonly string[]
  readonly metrics: readonly PageMetric[]
  readonly cases: readonly PageCase[]
  readonly means: ByLabelAndMetric<PageMean>
  /** Of each label the cases in which it is in neither map: they count with Dice 1. */
  readonly absent: readonly number[]
}

/** The prediction minus the other one, over the cases in which both have the number. */
export interface PageDifference {
  readonly cases: number
  readonly meanFirst: number
  readonly meanSecond: number
  /** The mean difference, with its 95 % interval. */
  readonly difference: { readonly value: number; readonly low: number; readonly high: number }
  readonly pValue: number
  readonly better: number
  readonly worse: number
  readonly verdict: string
}

/** Two predictions of the same cases. */
export interface PageVersus {
  /** The other prediction, with the same labels, metrics and cases in the same order; a case may lack all values. */
  readonly other: PageScores
  /** Mean differences of Dice and other shares up to this do not matter. */
  readonly margin: number
  readonly differences: ByLabelAndMetric<PageDifference>
}

/** The index of a metric, −1 where it was not measured. */
export const metricIndex = ({ metrics }: Pick<PageScores, 'metrics'>, key: string): number =>
  metrics.findIndex((metric) => metric.key === key)

/**
 * The cases of a label that agree least, by Dice, and among equals by the distance of the surfaces; those that agree
 * fully, and those without a prediction, are none.
 *
 * @returns indices of cases
 */
export function worstCases(scores: PageScores, label: number, count: number): number[] {
  const [dice, distance] = [metricIndex(scores, 'dice'), metricIndex(scores, 'hd95Mm')]
  const diceOf = (i: number) => scores.cases[i].values[label]?.[dice]
  // A surface that is not there is farther than any.
  const far = (i: number) => scores.cases[i].values[label]?.[distance] ?? Number.POSITIVE_INFINITY
  return [...scores.cases.keys()]
    .filter((i) => !scores.cases[i].missing && (diceOf(i) ?? 1) < 1)
    .sort((a, b) => (diceOf(a) ?? 1) - (diceOf(b) ?? 1) || compare(far(b), far(a)) || a - b)
    .slice(0, count)
}

/** As a comparison of numbers, with infinities that equal each other. */
const compare = (a: number, b: number): number => (a === b ? 0 : a - b)

/** The cases of a label in which two predictions differ most in Dice, either way. */
export function mostDifferent(scores: PageScores, other: PageScores, label: number, count: number): number[] {
  const dice = metricIndex(scores, 'dice')
  const change = (i: number): number => {
    const [a, b] = [scores, other].map((each) => each.cases[i].values[label]?.[dice])
    return a === undefined || b === undefined || scores.cases[i].missing || other.cases[i].missing ? 0 : Math.abs(a - b)
  }
  return [...scores.cases.keys()]
    .filter((i) => change(i) > 0)
    .sort((a, b) => change(b) - change(a) || a - b)
    .slice(0, count)
}
