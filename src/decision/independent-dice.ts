import { BitHistogram } from './bit-histogram.ts'
import { gaussLegendre } from './gauss-legendre.ts'
import { checkProbabilities, checkThreshold, chunksOf, type Probabilities } from './probabilities.ts'
import { rmaOptimum } from './rma.ts'

/** The mask with the largest expected Dice under independent voxels. Volumes are in voxels. */
export interface IndependentDiceOptimum {
  /**
   * The largest E[2|S∩L|/(|S|+|L|)] over masks S, for labels L whose voxels are independent with P(L(x) = 1) = m(x).
   */
  readonly expectedDice: number
  /**
   * |S|: the mask holds this many of the largest probabilities; which of equal ones does not matter. 0 is the empty
   * mask.
   */
  readonly volume: number
  /** The smallest probability in the mask; 1 where the mask is empty. */
  readonly threshold: number
  /** How many voxels have exactly this probability, and how many of them the mask holds. */
  readonly ties: { readonly all: number; readonly inside: number }
}

/**
 * The mask that maximises the expected Dice E[2|S∩L|/(|S|+|L|)] under independent voxels, the objective of RankDice
 * (Dai & Li, JMLR 2023), where |S| = |L| = 0 counts as Dice 1. It consists of the τ largest probabilities for some τ,
 * and
 *
 *   E_τ = 2 Σ_{j≤τ} p_j E[1/(τ + 1 + Γ₋ⱼ)],  Γ₋ⱼ = number of other voxels in L.
 *
 * Instead of RankDice's normal approximations of Γ, the reciprocal moment is turned into an integral that is exact for
 * any Poisson-binomial law, E[1/(a + Γ)] = ∫₀¹ u^(a−1) E[u^Γ] du with E[u^Γ] = Π(1 − p_i(1 − u)), so that
 *
 *   E_τ = 2 ∫₀¹ (1−x)^τ Π_i (1 − p_i x) Σ_{j≤τ} p_j/(1 − p_j x) dx,
 *
 * evaluated by Gauss–Legendre quadrature on panels that follow the integrand's decay e^{−(τ+‖m‖)x}. The error of E_τ is
 * below 10⁻¹¹ (tested against the exact distribution). Only the τ whose upper bound 2S_τ/(τ+‖m‖−1) reaches the largest
 * lower bound, RMA's 2S_τ/(τ+‖m‖+1), are evaluated: no other can be the optimum. Cost: four passes over memory and a
 * sort of the probabilities that may be in the mask.
 *
 * Real label noise is not independent between voxels; see `expectedDiceByThreshold` for sampled labels.
 *
 * @param m Probabilities in [0, 1]; several arrays are pooled.
 * @throws InputError where a value is NaN or outside [0, 1.00001].
 * @example
 * independentDiceOptimum(new Float32Array([0.5])).expectedDice // 0.5: either mask is right half the time
 */
export function independentDiceOptimum(m: Probabilities): IndependentDiceOptimum {
  const chunks = clamped(m)
  const { approximateDice, probabilityVolume: total } = rmaOptimum(chunks)
  const emptyDice = emptyMaskDice(chunks, total)
  const lowerBound = Math.max(approximateDice, emptyDice)
  const p = descendingFrom(chunks, smallestCandidate(chunks, total, lowerBound))

  // Volumes whose upper bound reaches the lower one. Rounding must not exclude a volume that is as good.
  let [first, last] = [p.length + 1, 0]
  for (let volume = 1, sum = 0; volume <= p.length; volume++) {
    sum += p[volume - 1]
    if (2 * sum < (lowerBound - 1e-12) * (volume + total - 1)) continue
    first = Math.min(first, volume)
    last = volume
  }

  let best = { dice: emptyDice, volume: 0 }
  for (const [i, dice] of expectedDices(chunks, p, total, first, last).entries()) {
    if (dice > best.dice) best = { dice, volume: first + i }
  }
  if (best.volume === 0) return { expectedDice: best.dice, volume: 0, threshold: 1, ties: { all: 0, inside: 0 } }
  const threshold = p[best.volume - 1]
  const above = p.indexOf(threshold)
  return {
    expectedDice: best.dice,
    volume: best.volume,
    threshold,
    ties: { all: p.lastIndexOf(threshold) + 1 - above, inside: best.volume - above },
  }
}

/**
 * The expected Dice E[2|S∩L|/(|S|+|L|)] of the mask S = {m ≥ threshold} under independent voxels, as
 * `independentDiceOptimum` evaluates it.
 *
 * @param threshold Positive.
 * @throws InputError where a value is NaN or outside [0, 1.00001].
 * @example
 * independentExpectedDice(new Float32Array([1, 0.5]), 0.6) // (2/2 + 2/3)/2: |L| is 1 or 2
 */
export function independentExpectedDice(m: Probabilities, threshold: number): number {
  const chunks = clamped(m)
  const { probabilityVolume: total } = rmaOptimum(chunks)
  const p = descendingFrom(chunks, checkThreshold(threshold))
  return p.length === 0 ? emptyMaskDice(chunks, total) : expectedDices(chunks, p, total, p.length, p.length)[0]
}

/** P(L is empty) = Π(1 − p_i), which is at most e^{−‖m‖}. */
function emptyMaskDice(chunks: readonly Float32Array[], total: number): number {
  if (total > 750) return 0
  let log = 0
  for (const chunk of chunks) for (let i = 0; i < chunk.length; i++) if (chunk[i] > 0) log += Math.log1p(-chunk[i])
  return Math.exp(log)
}

/**
 * A probability below which no voxel can be in the optimal mask: 2S_τ − lowerBound·(τ + ‖m‖ − 1) is concave in τ, so
 * that past its maximum, where it is negative, it stays so.
 */
function smallestCandidate(chunks: readonly Float32Array[], total: number, lowerBound: number): number {
  const histogram = new BitHistogram(16)
  for (const chunk of chunks) histogram.add(chunk)
  let [sum, count] = [0, 0]
  for (let bin = histogram.counts.length - 1; bin > 0; bin--) {
    sum += histogram.sums[bin]
    count += histogram.counts[bin]
    const edge = histogram.lowerEdge(bin)
    if (2 * edge < lowerBound && 2 * sum < (lowerBound - 1e-12) * (count + total - 1)) return edge
  }
  return 2 ** -149
}

/**
 * E_τ for τ = first … last, given the probabilities that the largest of these masks holds, and all others in `chunks`.
 */
function expectedDices(
  chunks: readonly Float32Array[],
  p: Float32Array,
  total: number,
  first: number,
  last: number,
): Float64Array {
  if (first > last) return new Float64Array(0)
  const dices = new Float64Array(last - first + 1)
  const largestX = Math.min(1, decayed / (first + total))
  const logProduct = logOfProduct(chunks, largestX)
  for (const { x, weight } of quadrature(largestX, last + total)) {
    // Σ_{j≤τ} p_j/(1 − p_j x), carried from τ to τ + 1; and (1−x)^τ · Π(1 − p_i x).
    let ratio = 0
    for (let j = 0; j < first - 1; j++) ratio += p[j] / (1 - p[j] * x)
    const logStep = Math.log1p(-x)
    const log = logProduct(x)
    for (let volume = first; volume <= last; volume++) {
      ratio += p[volume - 1] / (1 - p[volume - 1] * x)
      dices[volume - first] += 2 * weight * ratio * Math.exp(log + volume * logStep)
    }
  }
  return dices
}

/**
 * The function Σ log(1 − p_i x) for x up to `largestX`. Where p·x ≤ 10⁻³, five terms of the logarithm's series leave
 * 10⁻¹⁹, so that power sums stand for these voxels; the others, at most 1000·‖m‖·largestX ≤ 45000, are multiplied.
 */
function logOfProduct(chunks: readonly Float32Array[], largestX: number): (x: number) => number {
  const { large, sums } = powerSums(chunks, 1e-3 / largestX)
  const [s1, s2, s3, s4, s5] = sums
  return (x) => {
    let log = -x * (s1 + x * (s2 / 2 + x * (s3 / 3 + x * (s4 / 4 + (x * s5) / 5))))
    // One logarithm for every 32 factors: none is below 10⁻⁴, so their product does not underflow.
    for (let start = 0; start < large.length; start += 32) {
      const end = Math.min(large.length, start + 32)
      let product = 1
      for (let i = start; i < end; i++) product *= 1 - large[i] * x
      log += Math.log(product)
    }
    return log
  }
}

/** The probabilities above the limit, and Σp … Σp⁵ of the others. */
function powerSums(chunks: readonly Float32Array[], limit: number): { large: Float64Array; sums: readonly number[] } {
  const large: number[] = []
  let [s1, s2, s3, s4, s5] = [0, 0, 0, 0, 0]
  for (const chunk of chunks) {
    for (let i = 0; i < chunk.length; i++) {
      const p = chunk[i]
      if (p > limit) {
        large.push(p)
        continue
      }
      const p2 = p * p
      s1 += p
      s2 += p2
      s3 += p2 * p
      s4 += p2 * p2
      s5 += p2 * p2 * p
    }
  }
  return { large: Float64Array.from(large), sums: [s1, s2, s3, s4, s5] }
}

/** Beyond e⁻⁴⁵ = 3·10⁻²⁰ nothing is left of an integrand. */
const decayed = 45

/**
 * Nodes for integrands that decay on [0, largestX] no faster than e^{−fastest·x}. On a panel [b, 2b] an exponential
 * that is not yet negligible at b falls by e⁻⁴⁵ at most, which 32 nodes integrate to the last digit; so does the first
 * panel, up to 8/fastest.
 */
function quadrature(largestX: number, fastest: number): { readonly x: number; readonly weight: number }[] {
  const nodes: { x: number; weight: number }[] = []
  const { nodes: points, weights } = gaussLegendre(32)
  let end = largestX
  while (true) {
    const start = end * fastest <= 8 ? 0 : end / 2
    const half = (end - start) / 2
    for (let i = 0; i < points.length; i++) nodes.push({ x: start + half * (1 + points[i]), weight: half * weights[i] })
    if (start === 0) return nodes
    end = start
  }
}

/** The arrays of `m`; copies where a value exceeds 1 by rounding, which here would make a negative probability. */
function clamped(m: Probabilities): readonly Float32Array[] {
  const chunks = chunksOf(m)
  checkProbabilities(chunks)
  return chunks.map((chunk) => {
    let i = 0
    while (i < chunk.length && chunk[i] <= 1) i++
    return i === chunk.length ? chunk : chunk.map((x) => Math.min(1, x))
  })
}

/** The positive probabilities ≥ limit in descending order. */
function descendingFrom(chunks: readonly Float32Array[], limit: number): Float32Array {
  let count = 0
  for (const chunk of chunks) for (let i = 0; i < chunk.length; i++) count += chunk[i] >= limit ? 1 : 0
  const p = new Float32Array(count)
  let k = 0
  for (const chunk of chunks) for (let i = 0; i < chunk.length; i++) if (chunk[i] >= limit) p[k++] = chunk[i]
  return p.sort().reverse()
}
