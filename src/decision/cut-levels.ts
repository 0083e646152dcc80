import { ExactSum } from './exact-sum.ts'
import type { Cut } from './solve.ts'

/** Distinct probabilities in ascending order, and how many voxels have each (which may be none). */
export interface Levels {
  readonly values: Float64Array
  readonly counts: Float64Array
}

/**
 * The cut through these levels that maximises sum/(count + denominator), given the voxels `above` all of them. Taking a
 * level v in raises the ratio exactly where v is above it, so levels are taken from the largest down until one is
 * below.
 */
export function cutLevels(
  { values, counts }: Levels,
  above: { readonly sum: number; readonly count: number },
  denominator: number,
): Cut {
  const sum = new ExactSum()
  sum.add(above.sum)
  let count = above.count
  let threshold = count === 0 ? 0 : sum.value / (count + denominator)
  let last = -1
  for (let i = values.length - 1; i >= 0 && values[i] > 0; i--) {
    if (counts[i] === 0) continue
    if (values[i] < threshold) break
    sum.add(values[i] * counts[i])
    count += counts[i]
    threshold = sum.value / (count + denominator)
    last = i
  }
  // The ratio is a weighted mean of levels taken and so not above the last, but for rounding.
  if (last >= 0) threshold = Math.min(threshold, values[last])
  return { threshold, sum: sum.value, count, ties: last >= 0 && values[last] === threshold ? counts[last] : 0 }
}
