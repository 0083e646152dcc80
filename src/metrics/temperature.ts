import type { BetaCalibration } from './beta-calibration.ts'
import type { CutTable } from './cut-table.ts'

/** Temperatures from 1/50 to 50 are tried: beyond, a network is sure of everything, or of nothing. */
const largestLog = Math.log(50)
/** Networks saturate: beyond this, a probability says nothing more. */
const edge = 1e-6

/**
 * Temperature scaling, logit g(p) = logit(p)/T, by maximum likelihood (Guo, Pleiss, Sun, Weinberger, ICML 2017), to the
 * voxels of tables, taken together; as the `BetaCalibration` with a = b = 1/T.
 *
 * The likelihood has a single maximum in 1/T, which a golden-section search finds to within 10⁻⁶.
 */
export function fitTemperature(tables: readonly CutTable[]): BetaCalibration {
  const bins = pooled(tables)
  const loss = (log: number): number => {
    const a = Math.exp(log)
    let sum = 0
    // ln(1 + eˣ) − y·x, without an overflow.
    for (const { logit, count, hits } of bins) {
      const x = a * logit
      sum += count * (Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)))) - hits * x
    }
    return sum
  }
  if (bins.length === 0) return { a: 1, b: 1, c: 0 }
  const ratio = (Math.sqrt(5) - 1) / 2
  let [low, high] = [-largestLog, largestLog]
  let [x, y] = [high - ratio * (high - low), low + ratio * (high - low)]
  let [lossX, lossY] = [loss(x), loss(y)]
  while (high - low > 1e-6) {
    if (lossX <= lossY) {
      ;[high, y, lossY] = [y, x, lossX]
      x = high - ratio * (high - low)
      lossX = loss(x)
    } else {
      ;[low, x, lossX] = [x, y, lossY]
      y = low + ratio * (high - low)
      lossY = loss(y)
    }
  }
  const a = Math.exp((low + high) / 2)
  return { a, b: a, c: 0 }
}

function pooled(tables: readonly CutTable[]): { logit: number; count: number; hits: number }[] {
  const length = tables[0]?.counts.length ?? 0
  return Array.from({ length }, (_, b) => {
    let [count, sum, hits] = [0, 0, 0]
    for (const table of tables) {
      count += table.counts[b]
      sum += table.sums[b]
      hits += table.hits[b]
    }
    const p = Math.min(1 - edge, Math.max(edge, sum / count))
    return { logit: Math.log(p / (1 - p)), count, hits }
  }).filter(({ count }) => count > 0)
}
