import { normalQuantile } from '../kernels/normal-quantile.ts'
import { bootstrap } from '../metrics/statistics/bootstrap.ts'
import { quantile } from '../metrics/statistics/quantile.ts'
import type { NoiseModel } from '../noise/model.ts'
import { createSampler } from '../noise/sampler.ts'
import { streamSeed } from '../volume/random.ts'
import { fitCovariances, g0, g1, g00, g01, g11, lagBins, pairs, squaredLag, sumsPerBin, y0, y1 } from './covariogram.ts'
import { type Displacements, displacements } from './displacements.ts'
import { middleMask } from './middle-mask.ts'
import { agreements, type PairAgreement } from './observe.ts'
import { type FieldParameters, type OutlinedCase, type Problem, type Statistics, total } from './problem.ts'

/** Whether annotators simulated with the fit look like the real ones. */
export interface FitCheck {
  /** Quantiles of the outlines' distances from the annotators' mean, mm. */
  readonly quantiles: readonly { readonly share: number; readonly realMm: number; readonly simulatedMm: number }[]
  /** How outlines go together over a distance: correlation of real and simulated annotators, and ρ of the fit. */
  readonly correlogram: readonly CorrelogramPoint[]
  /** Agreement of each pair of annotators; of anonymous ones, of any two. */
  readonly pairs: readonly PairCheck[]
  /** Mean over cases of the pairs' Dice; between which numbers real less simulated lies, σ's error included. */
  readonly dice: { readonly real: number; readonly simulated: number; readonly low: number; readonly high: number }
  readonly hd95Mm: { readonly real: number; readonly simulated: number }
  readonly fits: boolean
  /** What does not fit, in words. */
  readonly misfits: readonly string[]
}

export interface CorrelogramPoint {
  readonly lagMm: number
  readonly real: number
  readonly simulated: number
  readonly fitted: number
}

export interface PairCheck {
  /** Numbers of two annotators, from 0; undefined for any two. */
  readonly a?: number
  readonly b?: number
  readonly meanDice: number
  readonly simulatedDice: number
  readonly meanHd95Mm: number
  readonly simulatedHd95Mm: number
}

const shares = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]

/**
 * Simulates every case, biases and all, and compares. The mask in the middle is rougher than what the annotators looked
 * at, so that annotators simulated from it agree a little less; by how much, those simulated from the middle of
 * simulated ones show once more, and what is compared has that taken off.
 *
 * @param logSigmaError standard error of log σ: annotators differ by about as large a share more or less
 */
export function checkFit(
  problem: Problem,
  noiseOf: (annotator: number) => NoiseModel,
  field: FieldParameters,
  observed: Statistics,
  simulated: Statistics,
  logSigmaError = 0,
): FitCheck {
  const { cases } = problem
  const drawn = cases.map((one, c) => simulate(problem, one, c, noiseOf))
  const real = spread(cases.map(({ outlines }) => outlines.measured))
  const spreadOf = (round: Round) => spread(drawn.flatMap((one) => one[round].map(({ measured }) => measured)))
  const own = { once: spreadOf('once'), again: spreadOf('again') }
  const quantiles = shares.map((share) => ({
    share,
    realMm: quantile(real, share),
    simulatedMm: smoothed((round) => quantile(own[round], share)),
  }))
  const means = cases.map((one, c) => {
    const pairsOf = (round: Round) => drawn[c][round].flatMap(({ pairs }) => pairs)
    return {
      case: one.case,
      real: meanDice(one.pairs),
      simulated: Math.min(
        1,
        smoothed((round) => meanDice(pairsOf(round))),
      ),
      hd95: meanHd95(one.pairs),
      simulatedHd95: Math.max(
        0,
        smoothed((round) => meanHd95(pairsOf(round))),
      ),
    }
  })
  const difference = bootstrap(
    means.map((one) => one.case),
    (chosen) => meanOf(chosen.map((c) => means[c].real - means[c].simulated)),
    { key: ['annotators', 'dice'] },
  )
  const [realDice, simulatedDice] = [means.map((one) => one.real), means.map((one) => one.simulated)].map(meanOf)
  const ofSigma = normalQuantile(0.975) * logSigmaError * (1 - simulatedDice)
  const dice = {
    real: realDice,
    simulated: simulatedDice,
    low: difference.value - Math.hypot(difference.value - difference.low, ofSigma),
    high: difference.value + Math.hypot(difference.high - difference.value, ofSigma),
  }
  const hd95Mm = {
    real: meanOf(means.map((one) => one.hd95).filter(Number.isFinite)),
    simulated: meanOf(means.map((one) => one.simulatedHd95).filter(Number.isFinite)),
  }
  const misfits = misfitsOf(quantiles, dice, hd95Mm)
  return {
    quantiles,
    correlogram: correlogram(problem, field, total(observed.sums), total(simulated.sums)),
    pairs: pairChecks(problem, drawn),
    dice,
    hd95Mm,
    fits: misfits.length === 0,
    misfits,
  }
}

interface Simulated {
  readonly measured: Displacements
  readonly pairs: readonly PairAgreement[]
}

/** Annotators simulated from the mask in the middle of the real ones, and from that of simulated ones. */
type Rounds = Readonly<Record<Round, readonly Simulated[]>>
const rounds = ['once', 'again'] as const
type Round = (typeof rounds)[number]

/** What comes of simulation from the middle, less what its roughness does. */
function smoothed(of: (round: Round) => number): number {
  return 2 * of('once') - of('again')
}

function simulate(problem: Problem, one: OutlinedCase, index: number, noiseOf: (r: number) => NoiseModel): Rounds {
  const { grid, middle } = one.outlines
  const samplers = (mask: Uint8Array) => {
    // Anonymous annotators share one sampler: it holds the outline's distances, which cost more than a sample.
    const shared = problem.anonymous ? createSampler(mask, grid, noiseOf(0)) : undefined
    return (r: number) => shared ?? createSampler(mask, grid, noiseOf(r))
  }
  const draw = (samplerOf: ReturnType<typeof samplers>, from: Uint8Array, repeat: number, round: Round) => {
    const seed = streamSeed(problem.seed, 'annotators', 'check', index, repeat, round)
    const masks = one.present.map((r) => samplerOf(r).sample(seed, r))
    const own = middleMask(masks, grid) ?? from
    const pairs = agreements(masks, grid).map((pair) => ({ ...pair, a: one.present[pair.a], b: one.present[pair.b] }))
    return { middle: own, seen: { measured: displacements(own, masks, grid), pairs } }
  }
  const fromMiddle = samplers(middle)
  const [once, again]: Simulated[][] = [[], []]
  for (let repeat = 0; repeat < problem.repeats; repeat++) {
    const first = draw(fromMiddle, middle, repeat, 'once')
    once.push(first.seen)
    again.push(draw(samplers(first.middle), first.middle, repeat, 'again').seen)
  }
  return { once, again }
}

/** All distances from the annotators' mean, of all points and annotators, ascending. */
function spread(measured: readonly Displacements[]): Float64Array {
  const values: number[] = []
  for (const { byAnnotator } of measured) {
    for (let u = 0; u < byAnnotator[0].length; u++) {
      let mean = 0
      for (const own of byAnnotator) mean += own[u] / byAnnotator.length
      for (const own of byAnnotator) values.push(own[u] - mean)
    }
  }
  return Float64Array.from(values).sort()
}

/** What a fit may miss before it is said so: a sixth of what pairs lack of Dice 1, half of a tail or of HD95. */
const [diceSlack, tailRatio] = [1 / 6, 1.5]

function misfitsOf(
  quantiles: FitCheck['quantiles'],
  dice: FitCheck['dice'],
  hd95Mm: FitCheck['hd95Mm'],
): readonly string[] {
  const misfits: string[] = []
  const gap = dice.real - dice.simulated
  if (Math.abs(gap) > diceSlack * (1 - dice.real) && (dice.low > 0 || dice.high < 0)) {
    misfits.push(`pairs agree by a Dice of ${dice.real.toFixed(3)}, simulated ones by ${dice.simulated.toFixed(3)}`)
  }
  const width = (which: 'realMm' | 'simulatedMm', low: number, high: number) =>
    quantiles[high][which] - quantiles[low][which]
  const tails =
    width('realMm', 0, 8) / width('realMm', 3, 5) / (width('simulatedMm', 0, 8) / width('simulatedMm', 3, 5))
  if (tails > tailRatio) {
    misfits.push(
      `distances have heavier tails than a Gaussian field's, by a factor of ${tails.toFixed(1)} at 1 and 99 %`,
    )
  }
  const ratio = hd95Mm.real / hd95Mm.simulated
  if (ratio > tailRatio || ratio < 1 / tailRatio) {
    misfits.push(`HD95 is ${hd95Mm.real.toFixed(2)} mm, of simulated pairs ${hd95Mm.simulated.toFixed(2)} mm`)
  }
  return misfits
}

function correlogram(
  { groups }: Problem,
  { sigmaMm, lengthMm }: FieldParameters,
  real: Float64Array,
  simulated: Float64Array,
): CorrelogramPoint[] {
  const [v0, v1] = [sigmaMm[0] ** 2, (sigmaMm[1] ?? sigmaMm[0]) ** 2]
  const points: CorrelogramPoint[] = []
  // The regression of products of displacements, less what whole outlines share, on the fit's covariances without ρ.
  const slope = (of: Float64Array, shared: number) =>
    (v0 * (of[y0] - shared * of[g0]) + v1 * (of[y1] - shared * of[g1])) /
    (v0 * v0 * of[g00] + 2 * v0 * v1 * of[g01] + v1 * v1 * of[g11])
  const [sharedReal, sharedSimulated] = [real, simulated].map((sums) => fitCovariances(sums, groups).shared)
  for (let b = 0; b < lagBins; b++) {
    const bin = (sums: Float64Array) => sums.subarray(b * sumsPerBin, (b + 1) * sumsPerBin)
    const [own, other] = [bin(real), bin(simulated)]
    // Fewer pairs of points than this say nothing.
    if (own[pairs] < 50 || other[pairs] < 50 || own[g0] + own[g1] === 0) continue
    const lag2 = own[squaredLag] / own[pairs]
    const fitted = Math.exp(-lag2 / (2 * lengthMm ** 2))
    points.push({
      lagMm: Math.sqrt(lag2),
      real: slope(own, sharedReal),
      simulated: slope(other, sharedSimulated),
      fitted,
    })
  }
  return points
}

function pairChecks({ cases, anonymous }: Problem, drawn: readonly Rounds[]): PairCheck[] {
  const groups = new Map<
    string,
    { pair: PairAgreement; real: PairAgreement[]; simulated: Record<Round, PairAgreement[]> }
  >()
  for (const [c, one] of cases.entries()) {
    for (const [i, pair] of one.pairs.entries()) {
      const key = anonymous ? 'any' : `${pair.a} ${pair.b}`
      const group = groups.get(key) ?? { pair, real: [], simulated: { once: [], again: [] } }
      groups.set(key, group)
      group.real.push(pair)
      for (const round of rounds) group.simulated[round].push(...drawn[c][round].map(({ pairs }) => pairs[i]))
    }
  }
  return [...groups.values()]
    .sort((x, y) => x.pair.a - y.pair.a || x.pair.b - y.pair.b)
    .map(({ pair, real, simulated }) => ({
      ...(anonymous ? {} : { a: pair.a, b: pair.b }),
      meanDice: meanDice(real),
      simulatedDice: Math.min(
        1,
        smoothed((round) => meanDice(simulated[round])),
      ),
      meanHd95Mm: meanHd95(real),
      simulatedHd95Mm: Math.max(
        0,
        smoothed((round) => meanHd95(simulated[round])),
      ),
    }))
}

function meanDice(pairs: readonly PairAgreement[]): number {
  return meanOf(pairs.map(({ dice }) => dice))
}

function meanHd95(pairs: readonly PairAgreement[]): number {
  return meanOf(pairs.flatMap(({ hd95Mm }) => hd95Mm ?? []))
}

function meanOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
