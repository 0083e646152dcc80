import type { NoiseModel } from '../noise/model.ts'
import { createSampler } from '../noise/sampler.ts'
import type { Grid } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { type ExpectedDiceOptions, expectedDiceByThreshold, type MeanEstimate } from './expected-dice.ts'

/** A mean over samples with its 95 % interval (normal approximation). */
export interface MeanInterval {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** Expected Dice of the cuts of one organ's marginals under the noise, from sampled labels. */
export interface SampledDice {
  /** Ascending, and the expected Dice of {m ≥ t} at each. */
  readonly thresholds: Float64Array
  readonly dice: readonly MeanInterval[]
  /** At ½, at the soft-Dice threshold t*, and at the best of `thresholds`. */
  readonly atHalf: MeanInterval
  readonly atOptimum: MeanInterval
  readonly best: MeanInterval & { readonly threshold: number }
  /** Paired by label: Dice at t* minus Dice at ½, and Dice at the best threshold minus Dice at t*. */
  readonly gain: MeanInterval
  readonly regret: MeanInterval
}

export interface SampledDiceOptions extends ExpectedDiceOptions {
  readonly samples: number
  readonly seed: number
  /** Sees each noisy label of the organ (1 inside, 0 outside) before the next is drawn into the same memory. */
  readonly onSample?: (label: Uint8Array, index: number) => void
}

/**
 * Draws noisy labels of one organ and scores every cut of its marginals `m` against them (docs/theory.md, "What
 * soft-Dice is not"). The organ is sampled alone: the field is the same for every class, and one boundary costs less
 * than all.
 *
 * @param organ A label map, i fastest, the label in it, the noise, and the label's marginal probabilities m on the same
 * grid.
 * @param options `samples`: the number of noisy labels, at least 2; sample n is number n of the stream `seed`.
 * @throws InputError as `createSampler` and `expectedDiceByThreshold` do.
 * @example
 * const grid = createGrid([16, 16, 16])
 * const labels = Uint8Array.from({ length: 4096 }, (_, i) => (i % 16 < 8 ? 1 : 0))
 * const noise = { sigmaMm: [2, 2, 2] as const, lengthMm: 8 }
 * const m = marginal(labels, grid, 1, noise.sigmaMm)
 * const { gain } = sampledDice({ labels, grid, label: 1, noise, m }, { samples: 20, seed: 0 }) // what t* gains over ½
 * gain.low <= gain.mean // true
 */
export function sampledDice(
  organ: { labels: LabelArray; grid: Grid; label: number; noise: NoiseModel; m: Float32Array },
  { samples, seed, onSample, ...options }: SampledDiceOptions,
): SampledDice {
  const { labels, grid, label, noise, m } = organ
  const own = Uint8Array.from(labels, (value) => Number(value === label))
  const sampler = createSampler(own, grid, noise)
  const memory = own.slice()
  function* draw(): Generator<Uint8Array> {
    for (let index = 0; index < samples; index++) {
      sampler.sample(seed, index, memory)
      onSample?.(memory, index)
      yield memory
    }
  }
  const { thresholds, means, standardErrors, half, softDice, best, gain, regret } = expectedDiceByThreshold(
    m,
    draw(),
    options,
  )
  return {
    thresholds,
    dice: Array.from(means, (mean, i) => interval({ mean, standardError: standardErrors[i] })),
    atHalf: interval(half),
    atOptimum: interval(softDice),
    best: { ...interval(best), threshold: best.threshold },
    gain: interval(gain),
    regret: interval(regret),
  }
}

function interval({ mean, standardError }: MeanEstimate): MeanInterval {
  return { mean, low: mean - 1.96 * standardError, high: mean + 1.96 * standardError }
}
