import type { NoiseModel } from '../noise/model.ts'
import { InputError } from '../volume/errors.ts'
import { type Vec3, vec3 } from '../volume/grid.ts'
import { biasError, biasesOf } from './biases.ts'
import { fitCovariances } from './covariogram.ts'
import { checkFit, type FitCheck } from './fit-check.ts'
import { bootstrapErrors, type Errors, interval, logInterval } from './intervals.ts'
import { type MatchedField, matchField } from './match.ts'
import type { CaseObservation } from './observe.ts'
import { type Estimate, fitPresence } from './presence.ts'
import {
  clipOf,
  type FieldParameters,
  type OutlinedCase,
  observedStatistics,
  type Problem,
  type Statistics,
  sigmaPerAxis,
  total,
} from './problem.ts'

/** σ with its 95 % interval: one number, or one for each axis of the grid where they are told apart. */
export interface SigmaEstimate {
  readonly estimate: number | Vec3
  readonly low: number | Vec3 | null
  readonly high: number | Vec3 | null
}

/** How the annotators of one label differ. */
export interface AnnotatorFit {
  /** Cases whose outlines were compared, and those that could not be. */
  readonly cases: number
  readonly leftOut: readonly { readonly case: string; readonly reason: string }[]
  readonly sigmaMm: SigmaEstimate
  /** Null where annotators do not differ. */
  readonly lengthMm: Estimate | null
  /** Of named annotators: how far outwards of the annotators' mean each draws; they add up to 0. */
  readonly biasMm?: readonly Estimate[]
  /** Of anonymous annotators: the standard deviation τ of their biases. */
  readonly biasSdMm?: Estimate
  readonly presence: Estimate
  /** Share of the outline that lies farther off than the noise explains: missed parts, leaks. */
  readonly grossErrors: Estimate
  /** The noise of an annotator taken at random, for `createSampler` and `marginal`; absent where σ is 0. */
  readonly noise?: NoiseModel
  /** Whether annotators simulated with it look like the real ones; absent where σ is 0. */
  readonly check?: FitCheck
}

/** Options of `fitAnnotators`. */
export interface FitOptions {
  /** Annotator 1 of one case is not annotator 1 of another: biases are random. Default false. */
  readonly anonymous?: boolean | undefined
  /** How often cases are drawn again for the intervals; 0 for no intervals. Default 300. */
  readonly draws?: number | undefined
  /** Fixes the random numbers; default 0. */
  readonly seed?: number | undefined
  /** Called before each simulation of all cases, which is what takes the time: about 12 to a fit. */
  readonly onSimulation?: (() => void) | undefined
}

/**
 * As many outlines are simulated as make the simulation's chance small beside the data's: at least so many cases, each
 * so often at most (that adds 1/20 to the variance), as far as they have no more voxels together than this (a liver has
 * 20 million). Large outlines vary less.
 */
const [simulatedCases, mostRepeats, simulatedVoxels] = [60, 20, 60e6]

/** Slices are thick where they are apart by this many times the pixels' distance. */
const thickSlices = 1.5

/**
 * Fits the noise of several annotators to their masks (docs/annotators.md, "Fit"): σ and ℓ of the field that moves
 * their outlines, so that annotators simulated with it from the masks in the middle have the outlines' covariances of
 * the real ones; biases, presence, and the share of gross errors; with 95 % bootstrap intervals over cases.
 *
 * @param observations of one label, from `observeAnnotators`
 * @throws InputError where no case has outlines of two annotators to compare
 * @example
 * const grid = createGrid([40, 40, 1])
 * const disc = Uint8Array.from({ length: 1600 }, (_, i) =>
 *   Number(Math.hypot((i % 40) - 19.6, Math.floor(i / 40) - 20.3) < 12))
 * const sampler = createSampler(disc, grid, { sigmaMm: [1, 1, 1], lengthMm: 5 })
 * const cases = [0, 1, 2, 3, 4, 5].map((c) => [0, 1, 2].map((r) => sampler.sample(c, r)))
 * const seen = cases.map((maps, c) => observeAnnotators(`case ${c}`, maps, grid, 1))
 * const fit = fitAnnotators(seen, { anonymous: true, draws: 0 })
 * Math.round(fit.noise?.sigmaMm[0] ?? 0) // 1
 * fit.presence.estimate // 1: everybody drew every disc
 */
export function fitAnnotators(observations: readonly CaseObservation[], options: FitOptions = {}): AnnotatorFit {
  const { anonymous = false, draws = 300, seed = 0, onSimulation } = options
  const cases = observations.filter((one): one is OutlinedCase => one.outlines !== undefined)
  const leftOut = observations.flatMap((one) => (one.outlines ? [] : [{ case: one.case, reason: one.reason ?? '' }]))
  if (cases.length === 0) {
    const why = leftOut[0] ? ` (${leftOut[0].case}: ${leftOut[0].reason})` : ''
    throw new InputError('annotators', `no case has outlines of two annotators to compare${why}; give other cases`)
  }
  const annotators = Math.max(...cases.map((one) => one.annotators))
  const voxels = cases.reduce((sum, { outlines }) => sum + outlines.middle.length, 0)
  const wanted = Math.min(mostRepeats, Math.ceil(simulatedCases / cases.length))
  const repeats = Math.max(1, Math.min(wanted, Math.floor(simulatedVoxels / voxels)))
  const clipMm = clipOf(cases)
  const slices = sliceAxis(cases)
  const groupOf = [Number(slices === 0), Number(slices === 1), Number(slices === 2)] as const
  const groups = slices === undefined ? 1 : 2
  const how = { anonymous, clipMm, seed, repeats, onSimulation }
  const one: Problem = { cases, annotators, ...how, groupOf, groups, sigmas: 1 }
  const plain = observedStatistics(one)
  const biases = anonymous ? undefined : biasesOf(one, plain)
  const observed = biases ? observedStatistics(one, biases) : plain
  const common = {
    cases: cases.length,
    leftOut,
    presence: fitPresence(
      observations.map(({ case: name, present, annotators: all }) => ({
        case: name,
        drawn: present.length,
        annotators: all,
      })),
      draws,
    ),
  }
  const intervals = draws > 0 && cases.length > 1
  if (Math.max(...fitCovariances(total(observed.sums), groups).variances) < 1e-6 && isStill(plain)) {
    const zero = { estimate: 0, low: null, high: null }
    const none = biases ? { biasMm: biases.map(() => zero) } : { biasSdMm: zero }
    return { ...common, sigmaMm: zero, lengthMm: null, ...none, grossErrors: zero }
  }
  const single = matchField(one, observed)
  const errorsOf = (problem: Problem, matched: MatchedField) =>
    intervals ? bootstrapErrors(problem, observed, matched, draws) : undefined
  let chosen = { problem: one, matched: single, errors: errorsOf(one, single) }
  if (slices !== undefined && intervals) {
    const two: Problem = { ...one, sigmas: 2 }
    const matched = matchField(two, observed, single.field)
    const errors = errorsOf(two, matched)
    const ratio = Math.abs(Math.log(matched.field.sigmaMm[0] / matched.field.sigmaMm[1]))
    // Two strengths where they are told apart; else one serves both better.
    if (errors && ratio > 2.5 * errors.logRatio) chosen = { problem: two, matched, errors }
  }
  const { problem, matched, errors } = chosen
  const tau = tauEstimate(matched.shared, errors?.shared, cases.length)
  const noiseOf = noiseBy(problem, matched.field, biases, anonymous ? tau.estimate : 0)
  const spread = biases ? Math.sqrt(biases.reduce((sum, b) => sum + b * b, 0) / annotators) : tau.estimate
  const noise: NoiseModel = {
    sigmaMm: sigmaPerAxis(problem, matched.field),
    lengthMm: matched.field.lengthMm,
    presence: common.presence.estimate,
    biasMm: 0,
    biasSdMm: spread,
  }
  const n = cases.length
  return {
    ...common,
    sigmaMm: sigmaEstimate(problem, matched.field, errors, n),
    lengthMm: logInterval(matched.field.lengthMm, errors?.logLength, n),
    ...(biases ? { biasMm: biasEstimates(problem, plain, biases, intervals) } : { biasSdMm: tau }),
    grossErrors: grossErrors(observed, matched.simulated, errors?.farShare, n),
    noise,
    check: checkFit(
      problem,
      noiseOf,
      matched.field,
      observed,
      matched.simulated,
      errors && Math.max(...errors.logSigma),
    ),
  }
}

/** Whether no annotator's outline differs from another's anywhere. */
function isStill({ meanMm, farShare }: Statistics): boolean {
  return meanMm.flat().every((mm) => Math.abs(mm) < 1e-6) && farShare.every((share) => share === 0)
}

/** The axis across thick slices, where at least half of the cases have them, all along the same axis. */
function sliceAxis(cases: readonly OutlinedCase[]): number | undefined {
  const axes = cases.flatMap(({ outlines: { grid } }) => {
    const moving = [0, 1, 2].filter((axis) => grid.shape[axis] > 1)
    const sorted = moving.map((axis) => ({ axis, mm: grid.spacing[axis] })).sort((a, b) => b.mm - a.mm)
    return sorted.length > 1 && sorted[0].mm >= thickSlices * sorted[1].mm ? [sorted[0].axis] : []
  })
  return axes.length >= cases.length / 2 && new Set(axes).size === 1 ? axes[0] : undefined
}

function biasEstimates(
  problem: Problem,
  observed: Statistics,
  biases: readonly number[],
  intervals: boolean,
): Estimate[] {
  return biases.map((bias, r) => {
    const cases = problem.cases.filter(({ present }) => present.includes(r)).length
    return interval(bias, intervals ? biasError(problem, observed, r) : undefined, cases)
  })
}

function tauEstimate(shared: number, error: number | undefined, cases: number) {
  const { estimate, low, high } = interval(shared, error, cases)
  const root = (value: number) => Math.sqrt(Math.max(0, value))
  return { estimate: root(estimate), low: low === null ? null : root(low), high: high === null ? null : root(high) }
}

function grossErrors(observed: Statistics, simulated: Statistics, error: number | undefined, cases: number): Estimate {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
  const { estimate, low, high } = interval(mean(observed.farShare) - mean(simulated.farShare), error, cases)
  const share = (value: number | null) => (value === null ? null : Math.max(0, value))
  return { estimate: Math.max(0, estimate), low: share(low), high: share(high) }
}

function sigmaEstimate(
  { sigmas, groupOf }: Problem,
  { sigmaMm }: FieldParameters,
  errors: Errors | undefined,
  cases: number,
): SigmaEstimate {
  const own = sigmaMm.map((sigma, i) => logInterval(sigma, errors?.logSigma[i], cases))
  if (sigmas === 1) return own[0]
  const perAxis = (of: (estimate: Estimate) => number | null) => vec3((axis) => of(own[groupOf[axis]]) ?? Number.NaN)
  return {
    estimate: perAxis(({ estimate }) => estimate),
    low: errors ? perAxis(({ low }) => low) : null,
    high: errors ? perAxis(({ high }) => high) : null,
  }
}

function noiseBy(problem: Problem, field: FieldParameters, biases: readonly number[] | undefined, tau: number) {
  return (annotator: number): NoiseModel => ({
    sigmaMm: sigmaPerAxis(problem, field),
    lengthMm: field.lengthMm,
    biasMm: biases?.[annotator] ?? 0,
    biasSdMm: tau,
  })
}
