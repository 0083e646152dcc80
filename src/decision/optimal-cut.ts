import { bracketBySample } from './bracket.ts'
import { ceilBits, floatOfBits, largestProbability } from './probabilities.ts'
import { type Criterion, type Cut, criterionOffset, solveInside } from './solve.ts'
import { type Sweep, sweep } from './sweep.ts'

/**
 * The cut that maximises 2·S/(N + ‖m‖ + offset), and the sums of the whole volume, mostly in one pass: a sample says
 * between which two float32 numbers t* must lie, a sweep sums what is above and copies what is between, and the optimum
 * is solved there. Every bound is checked by the full sums; a wrong guess costs another sweep with better bounds, never
 * the answer.
 *
 * @param guess Bits of the two numbers; by default from a sample, or the whole range.
 * @param capacity Values kept between the bounds, 16 MB by default. Plateaus with more voxels are counted, never
 * copied.
 */
export function optimalCut(
  m: readonly Float32Array[],
  criterion: Criterion,
  guess = bracketBySample(m, criterion),
  capacity = 1 << 22,
): { readonly swept: Sweep; readonly cut: Cut } {
  const offset = criterionOffset[criterion]
  // t* is known to be ≥ the float with bits `from` and < the one with bits `to`.
  let from = 1
  let to = ceilBits(largestProbability) + 1
  let [lowBits, highBits] = guess ?? [from, to]
  while (true) {
    // With an offset t* may be below every float32.
    const low = lowBits <= 1 ? 0 : floatOfBits(lowBits)
    const high = floatOfBits(highBits)
    const swept = sweep(m, low, high, capacity)
    if (swept.total === 0) return { swept, cut: { threshold: 0.5, sum: 0, count: 0, ties: 0 } }
    const atHigh = swept.sumAbove / (swept.countAbove + swept.total + offset)
    if (atHigh >= high) {
      from = Math.max(highBits, ceilBits(atHigh) - 1)
    } else {
      to = Math.min(to, highBits)
      const solved =
        swept.inside !== undefined
          ? solveInside(swept, swept.inside, low, criterion)
          : to - from === 1
            ? solvePlateau(m, swept, floatOfBits(lowBits), offset)
            : atHigh
      if (typeof solved === 'object') return { swept, cut: solved }
      if (swept.inside !== undefined) to = Math.min(to, lowBits)
      // One float lower than the bound, so that its rounding cannot exclude t*; and the interval never closes.
      from = Math.min(Math.max(from, ceilBits(solved) - 1), to - 1)
    }
    // Dinkelbach's step `from` is close below t*, so the next bounds are narrow; after a plateau they are halved
    // instead.
    lowBits = from
    highBits = swept.inside === undefined ? from + Math.max(1, (to - from) >> 1) : Math.min(to, from + (1 << 14))
  }
}

/**
 * The optimum where t* is `value` or between it and the next float32: the many voxels equal to `value` are in or out.
 */
function solvePlateau(m: readonly Float32Array[], above: Sweep, value: number, offset: number): Cut {
  const without = above.sumAbove / (above.countAbove + above.total + offset)
  if (without > value) return { threshold: without, sum: above.sumAbove, count: above.countAbove, ties: 0 }
  const { sumAbove: sum, countAbove: count } = sweep(m, value, value, 0)
  const reached = sum / (count + above.total + offset)
  return { threshold: Math.min(reached, value), sum, count, ties: reached >= value ? count - above.countAbove : 0 }
}
