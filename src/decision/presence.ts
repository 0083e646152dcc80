/** What marginal probabilities say about whether a class is there at all. */
export interface Presence {
  /** Whether the mask is worth writing; false: the empty mask is the better bet. */
  readonly present: boolean
  /** The least and the largest probability that any voxel is of the class, over all joint distributions with these marginals. */
  readonly low: number
  readonly high: number
  /**
   * How much larger the regret of the empty mask is, at worst, than that of the mask: ≥ 0 where it is kept. In units of Dice, −1 … 1.
   */
  readonly margin: number
}

export interface PresenceSums {
  /** The largest probability. */
  readonly largest: number
  /** ‖m‖. */
  readonly total: number
  /** Σ m inside the mask, and its volume. */
  readonly sum: number
  readonly count: number
}

/**
 * Whether to write a mask or leave the class out, by minimax regret.
 *
 * Against an empty label every mask but the empty one has Dice 0, and the empty one has 1; the soft-Dice optimum (docs/theory.md,
 * "Optimal predictions") does not know that case and takes voxels in however small their probabilities are. Let q be the probability that the class
 * is present. Marginals do not determine q, but bound it (Fréchet): max m ≤ q ≤ min(1, ‖m‖), both sharp. Given presence the
 * marginals are m/q, so that the mask S is worth
 *
 *   q · 2Σ_S(m/q)/(#S + ‖m‖/q) = 2Σ_S m/(#S + ‖m‖/q)
 *
 * and the empty mask 1 − q. Their difference f(q) rises with q. If it changes sign between the bounds, both choices may be wrong: the mask
 * by −f(low) at most, the empty one by f(high). The smaller of the two is chosen: the mask where f(low) + f(high) ≥ 0.
 *
 * So a plateau of probability p is kept from p = (√17 − 3)/4 ≈ 0.28 on (not ½), and a faint haze, whatever its mass, is not:
 * p = 0.01 everywhere promises a Dice of 0.02 at most, against the 0.99 that may be lost.
 *
 * @example
 * presence({ largest: 0.4, total: 400, sum: 400, count: 1000 }).present // true: a blob of 0.4
 */
export function presence({ largest, total, sum, count }: PresenceSums): Presence {
  const high = Math.min(1, total)
  const low = Math.min(largest, high)
  if (count === 0 || low === 0) return { present: false, low, high, margin: -1 }
  const gain = (q: number) => (2 * sum) / (count + total / q) - (1 - q)
  const [worst, best] = [gain(low), gain(high)]
  const margin = (worst + best) / 2
  return { present: margin >= 0, low, high, margin }
}
