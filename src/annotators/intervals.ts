import { studentQuantile } from '../metrics/statistics/student.ts'
import { randomStream } from '../volume/random.ts'
import { fitCovariances } from './covariogram.ts'
import { type MatchedField, sensitivity, stepFor } from './match.ts'
import type { Estimate } from './presence.ts'
import { type Problem, type Statistics, total } from './problem.ts'

/** Standard errors of a matched fit, from cases drawn again. */
export interface Errors {
  /** Of log σ of each group, and of log ℓ. */
  readonly logSigma: readonly number[]
  readonly logLength: number
  /** Of log σ₁ − log σ₂, where there are two groups. */
  readonly logRatio: number
  /** Of τ², mm². */
  readonly shared: number
  /** Of the share of gross errors. */
  readonly farShare: number
}

/**
 * The bootstrap over cases: each draw's real and simulated statistics move the field by one Newton step, with the
 * sensitivities of all cases. The simulation's own chance is in it, since its cases are drawn along.
 */
export function bootstrapErrors(problem: Problem, observed: Statistics, matched: MatchedField, draws: number): Errors {
  const jacobian = sensitivity(problem, matched)
  const { simulated } = matched
  const n = problem.cases.length
  const random = randomStream('annotators', 'bootstrap', problem.seed)
  const rows: number[][] = []
  for (let draw = 0; draw < draws; draw++) {
    const drawn = Array.from({ length: n }, () => random.integer(n))
    const real = fitCovariances(total(observed.sums, drawn), problem.groups)
    const own = fitCovariances(total(simulated.sums, drawn), problem.groups)
    const step = stepFor(problem, jacobian, real, own)
    const far = drawn.reduce((sum, c) => sum + (observed.farShare[c] - simulated.farShare[c]) / n, 0)
    rows.push([...step, real.shared - own.shared, step.length > 2 ? step[0] - step[1] : 0, far])
  }
  // Of few cases the drawn ones vary too little, by (n − 1)/n.
  const few = Math.sqrt(n / (n - 1))
  const error = (i: number) => few * standardDeviation(rows.map((row) => row[i]))
  const g = problem.sigmas
  return {
    logSigma: Array.from({ length: g }, (_, i) => error(i)),
    logLength: error(g),
    shared: error(g + 1),
    logRatio: error(g + 2),
    farShare: error(g + 3),
  }
}

/** The 95 % interval of a positive number whose logarithm has this standard error over `cases` cases. */
export function logInterval(estimate: number, logError: number | undefined, cases: number): Estimate {
  if (logError === undefined) return { estimate, low: null, high: null }
  const width = Math.exp(studentQuantile(cases - 1) * logError)
  return { estimate, low: estimate / width, high: estimate * width }
}

/** The same for a number that may have either sign. */
export function interval(estimate: number, error: number | undefined, cases: number): Estimate {
  if (error === undefined) return { estimate, low: null, high: null }
  const width = studentQuantile(cases - 1) * error
  return { estimate, low: estimate - width, high: estimate + width }
}

export function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1))
}
