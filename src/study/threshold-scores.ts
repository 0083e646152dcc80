/** A mean over samples with its 95 % interval (normal approximation). */
export interface MeanInterval {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** Dice of the masks {m ≥ t} against sampled labels. */
export interface DiceByThreshold {
  readonly thresholds: readonly number[]
  /** Expected Dice at each threshold. */
  readonly dice: readonly MeanInterval[]
  /** At ½, at the soft-Dice threshold t*, and at the best of `thresholds`. */
  readonly atHalf: MeanInterval
  readonly atOptimum: MeanInterval
  readonly best: MeanInterval & { readonly threshold: number }
  /** Paired over samples: Dice at t* minus Dice at ½, and Dice at the best threshold minus Dice at t*. */
  readonly gain: MeanInterval
  readonly regret: MeanInterval
}

/**
 * Scores every threshold of a marginal map against sampled labels, one sample at a time: a histogram of m inside the label
 * gives |S_t ∩ L| for all t at once, and Dice is 2|S_t ∩ L|/(|S_t| + |L|), 1 where both are empty.
 *
 * The best threshold is chosen on the samples that score it, so the regret is a little too large rather than too small.
 *
 * @example
 * const scores = new ThresholdScores(m, softDiceOptimum(m).threshold)
 * for (let i = 0; i < 200; i++) scores.add(sampler.sample(0, i), 1)
 * scores.result().gain // what t* gains over ½, with its interval
 */
export class ThresholdScores {
  readonly #thresholds: readonly number[]
  /** For each voxel, the number of thresholds that m reaches. */
  readonly #rank: Uint8Array
  /** |S_t|, voxels. */
  readonly #sizes: Float64Array
  readonly #half: number
  readonly #optimum: number
  /** Dice of each sample at each threshold. */
  readonly #rows: Float64Array[] = []

  constructor(m: Float32Array, threshold: number) {
    const round = Array.from({ length: 49 }, (_, i) => (i + 1) / 50)
    // The smallest threshold takes all that is not impossible.
    this.#thresholds = [...new Set([0.002, 0.005, 0.01, ...round, 0.5, threshold])].sort((a, b) => a - b)
    this.#half = this.#thresholds.indexOf(0.5)
    this.#optimum = this.#thresholds.indexOf(threshold)
    this.#rank = new Uint8Array(m.length)
    const counts = new Float64Array(this.#thresholds.length + 1)
    for (let at = 0; at < m.length; at++) {
      let low = 0
      let high = this.#thresholds.length
      while (low < high) {
        const middle = (low + high) >> 1
        if (m[at] >= this.#thresholds[middle]) low = middle + 1
        else high = middle
      }
      this.#rank[at] = low
      counts[low]++
    }
    this.#sizes = tails(counts)
  }

  /** Scores one sampled label map: L is where it holds `label`. */
  add(sample: ArrayLike<number>, label: number): void {
    const counts = new Float64Array(this.#thresholds.length + 1)
    let volume = 0
    for (let at = 0; at < sample.length; at++) {
      if (sample[at] !== label) continue
      counts[this.#rank[at]]++
      volume++
    }
    this.#rows.push(
      tails(counts).map((both, i) => {
        const sum = this.#sizes[i] + volume
        return sum === 0 ? 1 : (2 * both) / sum
      }),
    )
  }

  result(): DiceByThreshold {
    const at = (i: number): MeanInterval => interval(this.#rows.map((row) => row[i]))
    const dice = this.#thresholds.map((_, i) => at(i))
    const best = dice.reduce((b, d, i) => (d.mean > dice[b].mean ? i : b), 0)
    const paired = (a: number, b: number): MeanInterval => interval(this.#rows.map((row) => row[a] - row[b]))
    return {
      thresholds: this.#thresholds,
      dice,
      atHalf: dice[this.#half],
      atOptimum: dice[this.#optimum],
      best: { ...dice[best], threshold: this.#thresholds[best] },
      gain: paired(this.#optimum, this.#half),
      regret: paired(best, this.#optimum),
    }
  }
}

/** From counts by rank, how many reach each threshold: threshold i is reached by ranks above i. */
function tails(counts: Float64Array): Float64Array {
  const result = new Float64Array(counts.length - 1)
  for (let i = result.length - 1, sum = 0; i >= 0; i--) {
    sum += counts[i + 1]
    result[i] = sum
  }
  return result
}

function interval(values: readonly number[]): MeanInterval {
  const n = values.length
  const mean = values.reduce((a, b) => a + b, 0) / n
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, n - 1)
  const half = 1.96 * Math.sqrt(variance / n)
  return { mean, low: mean - half, high: mean + half }
}
