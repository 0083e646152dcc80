import { normalCdf } from '../kernels/normal-cdf.ts'
import { bootstrap } from '../metrics/statistics/bootstrap.ts'
import { studentQuantile } from '../metrics/statistics/student.ts'

/** An estimate with its 95 % interval, where there is one. */
export interface Estimate {
  readonly estimate: number
  readonly low: number | null
  readonly high: number | null
}

/**
 * Presence q from how many of its annotators drew each case. A case is in the data because somebody drew it, so that
 * its count is that of a binomial given at least one; the likelihood's maximum has mean share = q/(1 − (1−q)^R).
 */
export function fitPresence(
  cases: readonly { readonly case: string; readonly drawn: number; readonly annotators: number }[],
  draws: number,
): Estimate {
  const seen = cases.filter(({ drawn }) => drawn > 0)
  const estimate = maximum(seen)
  if (draws === 0 || seen.length < 2) return { estimate, low: null, high: null }
  if (estimate === 1) {
    // Nobody left anything out: the interval ends where that would have had a chance of one in twenty.
    const trials = seen.reduce((sum, { annotators }) => sum + annotators - 1, 0)
    return { estimate, low: 0.05 ** (1 / Math.max(1, trials)), high: 1 }
  }
  const { low, high } = bootstrap(
    seen.map((one) => one.case),
    (drawn) => maximum(drawn.map((i) => seen[i])),
    { draws: Math.max(draws, 200), tail: expandedTail(seen.length), key: ['presence'] },
  )
  return { estimate, low, high }
}

/**
 * Percentiles of few cases drawn again lie too near: by √((n − 1)/n), and by Student's quantile over the normal one
 * (Hesterberg, American Statistician 69, 2015, "expanded percentile").
 */
function expandedTail(n: number): number {
  return normalCdf(-Math.sqrt(n / (n - 1)) * studentQuantile(n - 1))
}

function maximum(cases: readonly { readonly drawn: number; readonly annotators: number }[]): number {
  if (cases.length === 0) return 1
  // Σ drawn = Σ R q/(1 − (1−q)^R), whose right side rises with q.
  const drawn = cases.reduce((sum, one) => sum + one.drawn, 0)
  const expected = (q: number) =>
    cases.reduce((sum, { annotators: r }) => sum + (q < 1e-9 ? 1 : (r * q) / (1 - (1 - q) ** r)), 0)
  if (expected(1) <= drawn) return 1
  let [low, high] = [0, 1]
  for (let n = 0; n < 50; n++) {
    const middle = (low + high) / 2
    if (expected(middle) < drawn) low = middle
    else high = middle
  }
  return (low + high) / 2
}
