import { gaussLegendre } from './gauss-legendre.ts'
import { checkProbabilities, chunksOf, type Probabilities } from './probabilities.ts'

/** The mask with the largest expected Dice under independent voxels. Volumes are in voxels. */
export interface IndependentDiceOptimum {
  /** The largest E[2|S∩L|/(|S|+|L|)] over masks S, for labels L whose voxels are independent with P(L(x) = 1) = m(x). */
  readonly expectedDice: number
  /** |S|: the mask holds this many of the largest probabilities; which of equal ones does not matter. 0 is the empty mask. */
  readonly volume: number
  /** The smallest probability in the mask; 1 where the mask is empty. */
  readonly threshold: number
  /** How many voxels have exactly this probability, and how many of them the mask holds. */
  readonly ties: { readonly all: number; readonly inside: number }
}

/**
 * The mask that maximises the expected Dice E[2|S∩L|/(|S|+|L|)] under independent voxels, the objective of RankDice (Dai &
 * Li, JMLR 2023), where |S| = |L| = 0 counts as Dice 1. It consists of the τ largest probabilities for some τ, and
 *
 *   E_τ = 2 Σ_{j≤τ} p_j E[1/(τ + 1 + Γ₋ⱼ)],  Γ₋ⱼ = number of other voxels in L.
 *
 * Instead of RankDice's normal approximations of Γ, the reciprocal moment is turned into an integral that is exact for any
 * Poisson-binomial law, E[1/(a + Γ)] = ∫₀¹ u^(a−1) E[u^Γ] du with E[u^Γ] = Π(1 − p_i(1 − u)), so that
 *
 *   E_τ = 2 ∫₀¹ (1−x)^τ Π_i (1 − p_i x) Σ_{j≤τ} p_j/(1 − p_j x) dx,
 *
 * evaluated by Gauss–Legendre quadrature on panels that follow the integrand's decay e^{−(τ+‖m‖)x}. The error of E_τ is below
 * 10⁻¹¹ (tested against the exact distribution). Only the τ whose upper bound 2S_τ/(τ+‖m‖−1) reaches the largest lower
 * bound, RMA's 2S_τ/(τ+‖m‖+1), are evaluated: no other can be the optimum. Cost: a sort of the positive probabilities and
 * about a hundred multiplications for each.
 *
 * Real label noise is not independent between voxels; see `expectedDiceByThreshold` for sampled labels.
 *
 * @param m Probabilities in [0, 1]; several arrays are pooled.
 * @throws InputError where a value is NaN or outside [0, 1.00001].
 * @example
 * independentDiceOptimum(new Float32Array([0.5])).expectedDice // 0.5: either mask is right half the time
 */
export function independentDiceOptimum(m: Probabilities): IndependentDiceOptimum {
  const p = positivesDescending(m)
  const total = sumOf(p)
  let best = { dice: emptyMaskDice(p), volume: 0 }

  // The range of volumes that can hold the optimum, by bounds from below and above.
  let lowerBound = best.dice
  const partial = new Float64Array(p.length + 1)
  for (let t = 1; t <= p.length; t++) {
    partial[t] = partial[t - 1] + p[t - 1]
    lowerBound = Math.max(lowerBound, (2 * partial[t]) / (t + total + 1))
  }
  // Rounding of the bounds must not exclude a volume that is as good.
  const reaches = (t: number) => 2 * partial[t] >= (lowerBound - 1e-12) * (t + total - 1)
  let first = 1
  while (first <= p.length && !reaches(first)) first++
  let last = p.length
  while (last >= first && !reaches(last)) last--

  if (first <= last) {
    const dices = expectedDices(p, total, first, last)
    for (let t = first; t <= last; t++) {
      if (dices[t - first] > best.dice) best = { dice: dices[t - first], volume: t }
    }
  }
  const threshold = best.volume === 0 ? 1 : p[best.volume - 1]
  const above = best.volume === 0 ? 0 : p.indexOf(threshold)
  const atLeast = best.volume === 0 ? 0 : p.lastIndexOf(threshold) + 1
  return {
    expectedDice: best.dice,
    volume: best.volume,
    threshold,
    ties: { all: atLeast - above, inside: best.volume - above },
  }
}

/**
 * The expected Dice E[2|S∩L|/(|S|+|L|)] of the mask S = {m ≥ threshold} under independent voxels, as `independentDiceOptimum`
 * evaluates it.
 *
 * @param threshold Positive.
 * @throws InputError where a value is NaN or outside [0, 1.00001].
 * @example
 * independentExpectedDice(new Float32Array([1, 0.5]), 0.6) // (2/2 + 2/3)/2: |L| is 1 or 2
 */
export function independentExpectedDice(m: Probabilities, threshold: number): number {
  const p = positivesDescending(m)
  const volume = p.findLastIndex((x) => x >= threshold) + 1
  return volume === 0 ? emptyMaskDice(p) : expectedDices(p, sumOf(p), volume, volume)[0]
}

/** P(L is empty). */
function emptyMaskDice(p: Float32Array): number {
  let log = 0
  for (const x of p) log += Math.log1p(-Math.min(x, 1))
  return Math.exp(log)
}

/** E_τ for τ = first … last. */
function expectedDices(p: Float32Array, total: number, first: number, last: number): Float64Array {
  const dices = new Float64Array(last - first + 1)
  for (const { x, weight } of quadrature(first + total, last + total)) {
    // Σ_{j≤τ} p_j/(1 − p_j x), carried from τ to τ + 1; and (1−x)^τ · Π(1 − p_i x).
    let ratio = 0
    for (let j = 0; j < first - 1; j++) ratio += p[j] / (1 - p[j] * x)
    const logStep = Math.log1p(-x)
    const logProduct = logOfProduct(p, x)
    for (let t = first; t <= last; t++) {
      ratio += p[t - 1] / (1 - p[t - 1] * x)
      dices[t - first] += 2 * weight * ratio * Math.exp(logProduct + t * logStep)
    }
  }
  return dices
}

/** Σ log(1 − p_i x), with one logarithm for every 32 factors: none is below 10⁻⁴, so their product does not underflow. */
function logOfProduct(p: Float32Array, x: number): number {
  let log = 0
  for (let start = 0; start < p.length; start += 32) {
    const end = Math.min(p.length, start + 32)
    let product = 1
    for (let i = start; i < end; i++) product *= 1 - p[i] * x
    log += Math.log(product)
  }
  return log
}

/**
 * Nodes for integrands that decay between e^{−slowest·x} and e^{−fastest·x} on [0, 1]. Beyond e⁻⁴⁵ = 3·10⁻²⁰ nothing is left. On
 * a panel [b, 2b] an exponential that is not yet negligible at b falls by e⁻⁴⁵ at most, which 32 nodes integrate to the last
 * digit; so does the first panel [0, 8/fastest].
 */
function quadrature(slowest: number, fastest: number): { readonly x: number; readonly weight: number }[] {
  const nodes: { x: number; weight: number }[] = []
  const { nodes: points, weights } = gaussLegendre(32)
  let end = Math.min(1, 45 / slowest)
  while (true) {
    const start = end * fastest <= 8 ? 0 : end / 2
    const half = (end - start) / 2
    for (let i = 0; i < points.length; i++) nodes.push({ x: start + half * (1 + points[i]), weight: half * weights[i] })
    if (start === 0) return nodes
    end = start
  }
}

function positivesDescending(m: Probabilities): Float32Array {
  checkProbabilities(m)
  const chunks = chunksOf(m)
  let count = 0
  for (const chunk of chunks) for (let i = 0; i < chunk.length; i++) count += chunk[i] > 0 ? 1 : 0
  const p = new Float32Array(count)
  let k = 0
  for (const chunk of chunks) for (let i = 0; i < chunk.length; i++) if (chunk[i] > 0) p[k++] = Math.min(1, chunk[i])
  return p.sort().reverse()
}

function sumOf(p: Float32Array): number {
  let sum = 0
  for (let i = p.length - 1; i >= 0; i--) sum += p[i]
  return sum
}
