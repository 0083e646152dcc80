import { comparePaired, type PairedComparison } from '../../metrics/statistics/paired.ts'
import { InputError } from '../../volume/errors.ts'
import type { CohortEvaluation } from './evaluate-cohort.ts'
import type { Metric } from './metrics.ts'

/** Two predictions of the same cases, label by label. */
export interface Versus {
  /** Mean differences of Dice and other shares up to this do not matter. */
  readonly margin: number
  readonly labels: readonly VersusLabel[]
  /** Cases that only one of the two has scores of. */
  readonly leftOut: readonly string[]
}

export interface VersusLabel {
  readonly label: string
  readonly name?: string
  /** The first prediction against the second, by the key of a metric of which more or less is better. */
  readonly metrics: ReadonlyMap<string, PairedComparison>
}

/**
 * Compares two evaluations over the cases of both (`comparePaired` says how). The margin holds for metrics between 0
 * and 1, of which more is better.
 *
 * @throws InputError where no case is in both
 */
export function compareCohorts(first: CohortEvaluation, second: CohortEvaluation, margin: number): Versus {
  const byName = new Map(second.cases.map((one) => [one.case, one]))
  const both = first.cases.flatMap((one) => {
    const other = byName.get(one.case)
    return other === undefined ? [] : [{ one, other }]
  })
  if (both.length === 0) throw new InputError('--versus', 'has no case of the first prediction; give another folder')
  const names = new Set(both.map(({ one }) => one.case))
  const leftOut = [...first.cases, ...second.cases].map((each) => each.case).filter((name) => !names.has(name))
  const patients = both.map(({ one }) => one.patient)
  const labels = (first.cases[0]?.scores ?? []).flatMap(({ label, name }) => {
    const scores = both.flatMap(({ one, other }) => {
      const [a, b] = [one, other].map(({ scores }) => scores.find((score) => score.label === label))
      return a && b ? [{ a, b }] : []
    })
    if (scores.length < both.length) return []
    const compared = first.metrics.flatMap((metric) => {
      const of = (side: 'a' | 'b') => scores.map((pair) => metric.of(pair[side]))
      const options = { patients, better: metric.better, key: ['versus', label, metric.key] }
      const result =
        metric.better && comparePaired(of('a'), of('b'), isShare(metric) ? { ...options, margin } : options)
      return result ? [[metric.key, result] as const] : []
    })
    return [{ label, ...(name !== undefined && { name }), metrics: new Map(compared) }]
  })
  return { margin, labels, leftOut: [...new Set(leftOut)] }
}

/** Whether a metric lies between 0 and 1: counts and lengths have no margin in common with these. */
function isShare({ key, better }: Metric): boolean {
  return better === 'higher' && key !== 'lesions.tp'
}
