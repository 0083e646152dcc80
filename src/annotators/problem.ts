import { createSampler } from '../noise/sampler.ts'
import { type Vec3, vec3 } from '../volume/grid.ts'
import { streamSeed } from '../volume/random.ts'
import { addPairs, deviations, lagBins, medianAt, sumsPerBin } from './covariogram.ts'
import { type Displacements, displacements } from './displacements.ts'
import { middleMask } from './middle-mask.ts'
import type { CaseObservation, Outlines } from './observe.ts'

/** A case whose outlines can be compared. */
export type OutlinedCase = CaseObservation & { readonly outlines: Outlines }

/** What is fitted, and how: the same for the real annotators and for simulated ones. */
export interface Problem {
  readonly cases: readonly OutlinedCase[]
  readonly annotators: number
  /** Thick slices: group 0 are the axes within them, group 1 is the axis across; else all axes are group 0. */
  readonly groupOf: readonly [number, number, number]
  readonly groups: 1 | 2
  /** Whether each group has a σ of its own. */
  readonly sigmas: 1 | 2
  readonly anonymous: boolean
  /** Displacements farther than this from the annotators' median count as this far, case by case. */
  readonly clipMm: readonly number[]
  readonly seed: number
  /** How often each case is simulated: few cases need more, or the simulation's own chance would show. */
  readonly repeats: number
  /** Called before every simulation of all cases. */
  readonly onSimulation?: (() => void) | undefined
}

/** Simulated (or real) annotators by the statistics of their outlines. */
export interface Statistics {
  /** Of each case its sums over pairs of points (see `addPairs`). */
  readonly sums: readonly Float64Array[]
  /** Of each case the mean displacement of each annotator who drew it, from their mean; mm. */
  readonly meanMm: readonly (readonly number[])[]
  /** Share of displacements beyond twice the clip, by case. */
  readonly farShare: readonly number[]
}

/** The field's parameters: one σ, or one for each group of axes, and ℓ. */
export interface FieldParameters {
  readonly sigmaMm: readonly number[]
  readonly lengthMm: number
}

/** The statistics of real annotators. */
export function observedStatistics(problem: Problem, biasMm?: readonly number[]): Statistics {
  return statisticsOf(
    problem,
    problem.cases.map(({ outlines }) => [outlines.measured]),
    biasMm,
  )
}

/**
 * The statistics of annotators simulated from the masks in the middle; the same field for the same seed. `twice`: from
 * the masks in the middle of such annotators.
 */
export function simulatedStatistics(problem: Problem, field: FieldParameters, twice = false): Statistics {
  problem.onSimulation?.()
  return statisticsOf(
    problem,
    problem.cases.map((one, c) => simulateCase(problem, one, c, field, twice)),
  )
}

function simulateCase(
  problem: Problem,
  one: OutlinedCase,
  index: number,
  field: FieldParameters,
  twice: boolean,
): Displacements[] {
  const { grid } = one.outlines
  let { middle } = one.outlines
  const noise = { sigmaMm: sigmaPerAxis(problem, field), lengthMm: field.lengthMm }
  const masks = one.present.map(() => new Uint8Array(middle.length))
  let sampler = createSampler(middle, grid, noise)
  if (twice) {
    for (const [r, mask] of masks.entries()) sampler.sample(streamSeed(problem.seed, 'annotators', index), r, mask)
    middle = middleMask(masks, grid) ?? middle
    sampler = createSampler(middle, grid, noise)
  }
  return Array.from({ length: problem.repeats }, (_, repeat) => {
    const seed = streamSeed(problem.seed, 'annotators', index, repeat)
    for (const [r, mask] of masks.entries()) sampler.sample(seed, r, mask)
    const own = middleMask(masks, grid)
    // Noise that tears an object apart leaves no middle: what is measured then comes from the one it was made of.
    return displacements(own ?? middle, masks, grid)
  }).filter(({ points }) => points.length > 0)
}

export function sigmaPerAxis({ groupOf, sigmas }: Problem, { sigmaMm }: FieldParameters): Vec3 {
  return vec3((axis) => sigmaMm[sigmas === 1 ? 0 : groupOf[axis]])
}

function statisticsOf(
  problem: Problem,
  measured: readonly (readonly Displacements[])[],
  biasMm: readonly number[] = new Array<number>(problem.annotators).fill(0),
): Statistics {
  const { cases, clipMm, groupOf } = problem
  const meanMm: number[][] = []
  const farShare: number[] = []
  const sums = measured.map((repeats, c) => {
    const total = new Float64Array(lagBins * sumsPerBin)
    const means = cases[c].present.map(() => 0)
    let far = 0
    for (const one of repeats) {
      const own = deviations(
        one,
        clipMm[c],
        cases[c].present.map((r) => biasMm[r]),
      )
      addPairs(total, one, own, groupOf)
      const plain = deviations(one, clipMm[c])
      for (const [r, values] of plain.entries()) means[r] += meanOf(values) / repeats.length
      far += shareBeyond(one, 2 * clipMm[c]) / repeats.length
    }
    for (let i = 0; i < total.length; i++) total[i] /= Math.max(1, repeats.length)
    meanMm.push(means)
    farShare.push(far)
    return total
  })
  return { sums, meanMm, farShare }
}

function shareBeyond({ byAnnotator }: Displacements, limit: number): number {
  const sorted = new Float64Array(byAnnotator.length)
  const n = byAnnotator[0].length
  let count = 0
  for (let u = 0; u < n; u++) {
    const median = medianAt(byAnnotator, u, sorted)
    for (const own of byAnnotator) if (Math.abs(own[u] - median) > limit) count++
  }
  return count / (n * byAnnotator.length)
}

export function meanOf(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]
  return sum / values.length
}

/** The sums of several cases together. */
export function total(sums: readonly Float64Array[], drawn: Iterable<number> = sums.keys()): Float64Array {
  const result = new Float64Array(lagBins * sumsPerBin)
  for (const c of drawn) for (let i = 0; i < result.length; i++) result[i] += sums[c][i]
  return result
}

/**
 * Where displacements are clipped: three times the usual distance from the median (about 2.5 σ), and not below a voxel.
 */
export function clipOf(cases: readonly OutlinedCase[]): number[] {
  const distances: number[] = []
  for (const { outlines } of cases) {
    const { byAnnotator } = outlines.measured
    const sorted = new Float64Array(byAnnotator.length)
    for (let u = 0; u < byAnnotator[0].length; u++) {
      const median = medianAt(byAnnotator, u, sorted)
      for (const own of byAnnotator) {
        const distance = Math.abs(own[u] - median)
        if (distance > 1e-6) distances.push(distance)
      }
    }
  }
  distances.sort((a, b) => a - b)
  const usual = distances[Math.floor(distances.length / 2)] ?? 0
  return cases.map(({ outlines: { grid } }) =>
    Math.max(3 * usual, Math.min(...grid.spacing.filter((_, axis) => grid.shape[axis] > 1))),
  )
}
