import { movedOutline, outlineOf } from '../noise/outline.ts'
import { createSampler } from '../noise/sampler.ts'
import { streamSeed } from '../volume/random.ts'
import { deviations } from './covariogram.ts'
import { displacements } from './displacements.ts'
import { standardDeviation } from './intervals.ts'
import type { MatchedField } from './match.ts'
import { middleMask } from './middle-mask.ts'
import { meanOf, type OutlinedCase, type Problem, type Statistics, sigmaPerAxis } from './problem.ts'

/** The biases whose simulated annotators lie as far apart as the real ones. */
export interface MatchedBiases {
  readonly biasMm: readonly number[]
  /** How far outlines seem to move where a bias moves them by 1 mm. */
  readonly response: number
}

/** A bias is tried at no less than this many voxels: smaller ones change few voxels, or none. */
const leastTrial = 0.5

/** Trials go on until the simulated annotators miss by less than this share of the standard error, or so many times. */
const [tolerance, mostTrials] = [0.25, 4]

/** Outlines of voxels answer to a bias in steps: a response beyond these is a chance of few cases. */
const [leastResponse, mostResponse] = [0.25, 2]

/**
 * Indirect inference for biases, as `matchField` for σ and ℓ: outlines that are known by voxels do not move at all
 * where a bias is much smaller than a voxel, and by a whole one where it is larger than half of it. So biases are
 * sought with which annotators simulated from the masks in the middle seem to lie where the real ones do.
 */
export function matchBiases(problem: Problem, matched: MatchedField, observed: Statistics): MatchedBiases {
  const wanted = biasesOf(problem, observed)
  const response = biasResponse(problem, matched, wanted)
  const chance = biasesOf(problem, matched.simulated)
  const error = Math.max(...wanted.map((_, r) => standardError(problem, observed, r)))
  let biasMm = centred(wanted.map((mm) => mm / response))
  let best = { biasMm, miss: Number.POSITIVE_INFINITY }
  for (let n = 0; n < mostTrials && best.miss > tolerance * error; n++) {
    const seen = biasesOf(problem, { meanMm: simulatedMeans(problem, matched, biasMm) })
    const residual = wanted.map((mm, r) => mm - (seen[r] - chance[r]))
    const miss = Math.max(...residual.map(Math.abs))
    if (miss < best.miss) best = { biasMm, miss }
    // Half a step damps the staircase.
    biasMm = centred(biasMm.map((mm, r) => mm + (0.7 * residual[r]) / response))
  }
  return { biasMm: best.biasMm, response }
}

/** How far outlines seem to move where biases in the proportions of `pattern` move them by 1 mm. */
export function biasResponse(problem: Problem, matched: MatchedField, pattern: readonly number[]): number {
  const largest = Math.max(...pattern.map(Math.abs))
  if (!(largest > 0)) return 1
  const voxel = meanOf(problem.cases.map(({ outlines: { grid } }) => Math.min(...grid.spacing)))
  const trial = pattern.map((mm) => mm * Math.max(1, (leastTrial * voxel) / largest))
  const seen = biasesOf(problem, { meanMm: simulatedMeans(problem, matched, trial) })
  const chance = biasesOf(problem, matched.simulated)
  const product = trial.reduce((sum, mm, r) => sum + mm * (seen[r] - chance[r]), 0)
  const response = product / trial.reduce((sum, mm) => sum + mm * mm, 0)
  return Math.max(leastResponse, Math.min(mostResponse, response))
}

/** Each annotator's mean displacement from the mean of all: cases that some did not draw are balanced by iteration. */
export function biasesOf({ cases, annotators }: Problem, { meanMm }: Pick<Statistics, 'meanMm'>): number[] {
  let biases = new Array<number>(annotators).fill(0)
  for (let n = 0; n < 50; n++) {
    const sums = biases.map(() => ({ sum: 0, count: 0 }))
    for (const [c, { present }] of cases.entries()) {
      const mean = meanOf(present.map((r) => biases[r]))
      for (const [i, r] of present.entries()) {
        sums[r].sum += meanMm[c][i] + mean
        sums[r].count++
      }
    }
    biases = centred(sums.map(({ sum, count }) => (count === 0 ? 0 : sum / count)))
  }
  return biases
}

/** The standard error of annotator r's mean displacement over the cases; NaN of one case. */
export function standardError({ cases }: Problem, { meanMm }: Pick<Statistics, 'meanMm'>, r: number): number {
  const own = cases.flatMap(({ present }, c) => {
    const i = present.indexOf(r)
    return i < 0 ? [] : [meanMm[c][i]]
  })
  return own.length < 2 ? Number.NaN : standardDeviation(own) / Math.sqrt(own.length)
}

/** Of each case the mean displacements of annotators simulated with biases, by the random numbers of the field's. */
function simulatedMeans(problem: Problem, { field }: MatchedField, biasMm: readonly number[]): number[][] {
  const noise = { sigmaMm: sigmaPerAxis(problem, field), lengthMm: field.lengthMm }
  return problem.cases.map((one, c) => meansOfCase(problem, one, c, noise, biasMm))
}

function meansOfCase(
  problem: Problem,
  { present, outlines: { grid, middle } }: OutlinedCase,
  index: number,
  noise: Parameters<typeof createSampler>[2],
  biasMm: readonly number[],
): number[] {
  const outline = outlineOf(middle, grid, Math.max(...biasMm.map(Math.abs)))
  const samplers = present.map((r) =>
    createSampler(outline ? movedOutline(middle, grid, outline, biasMm[r]) : middle, grid, noise),
  )
  const masks = present.map(() => new Uint8Array(middle.length))
  const means = present.map(() => 0)
  for (let repeat = 0; repeat < problem.repeats; repeat++) {
    const seed = streamSeed(problem.seed, 'annotators', index, repeat)
    for (const [i, mask] of masks.entries()) samplers[i].sample(seed, i, mask)
    const seen = displacements(middleMask(masks, grid) ?? middle, masks, grid)
    if (seen.points.length === 0) continue
    for (const [i, own] of deviations(seen, problem.clipMm[index]).entries()) means[i] += meanOf(own) / problem.repeats
  }
  return means
}

function centred(values: readonly number[]): number[] {
  const centre = meanOf(values)
  return values.map((value) => value - centre)
}
