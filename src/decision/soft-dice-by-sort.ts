import { ExactSum } from './exact-sum.ts'
import { checkProbabilities, chunksOf, type Probabilities, voxelsOf } from './probabilities.ts'
import { describeSoftDice, type SoftDiceOptimum } from './soft-dice.ts'

/**
 * The same optimum as `softDiceOptimum` by the other exact algorithm: sort m in descending order and maximise d_k =
 * 2Σ_{i≤k} m₍ᵢ₎/(k + ‖m‖) (docs/theory.md, "Optimal predictions"). Slower, and it copies all voxels; it serves as a
 * check and as the definition in code. All fields agree with `softDiceOptimum`'s up to the rounding of float64 sums.
 *
 * @param m Probabilities in [0, 1]; several arrays are pooled.
 * @throws InputError where a value is NaN or outside [0, 1.00001].
 * @example
 * softDiceOptimumBySort(new Float32Array([0.2, 1, 0.9])).volume // 2: {1, 0.9} has Dice 2·1.9/(2 + 2.1)
 */
export function softDiceOptimumBySort(m: Probabilities): SoftDiceOptimum {
  const chunks = chunksOf(m)
  checkProbabilities(chunks)
  const sorted = new Float32Array(voxelsOf(chunks))
  let end = 0
  for (const chunk of chunks) {
    sorted.set(chunk, end)
    end += chunk.length
  }
  sorted.sort().reverse()
  const total = sumOf(sorted)
  const half = countAtLeast(sorted, 0.5)

  const running = new ExactSum()
  let best = { sum: 0, count: 0, dice: Number.NEGATIVE_INFINITY }
  for (let k = 0; k < sorted.length; k++) {
    running.add(sorted[k])
    // Equal values stand or fall together; ≥ takes ties in.
    if (sorted[k] === sorted[k + 1]) continue
    const dice = (2 * running.value) / (k + 1 + total)
    if (dice >= best.dice && sorted[k] > 0) best = { sum: running.value, count: k + 1, dice }
  }
  // Rounded, D*/2 may fall outside the gap between the mask's smallest value and the next one; then the value stands
  // for it.
  const smallest = sorted[best.count - 1]
  const inGap = best.dice / 2 <= smallest && !(best.dice / 2 <= sorted[best.count])
  const threshold = inGap ? best.dice / 2 : smallest
  const ties = best.count - sorted.subarray(0, best.count).findLastIndex((x) => x > threshold) - 1
  return describeSoftDice({
    voxels: sorted.length,
    total,
    sumHalf: sumOf(sorted.subarray(0, half)),
    countHalf: half,
    threshold,
    sum: best.sum,
    count: best.count,
    ties,
  })
}

function sumOf(values: Float32Array): number {
  const sum = new ExactSum()
  for (const x of values) sum.add(x)
  return sum.value
}

/** How many of the descending values are ≥ limit. */
function countAtLeast(sorted: Float32Array, limit: number): number {
  return sorted.findLastIndex((x) => x >= limit) + 1
}
