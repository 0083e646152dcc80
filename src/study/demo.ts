import { type PhantomCase, type PhantomOptions, phantomCase } from '../datasets/phantom/phantom.ts'
import { type SampledDice, sampledDice } from '../decision/sampled-dice.ts'
import { type SoftDiceOptimum, softDiceOptimum } from '../decision/soft-dice.ts'
import { foldProbability } from '../noise/fold.ts'
import { marginal } from '../noise/marginal.ts'
import type { NoiseModel } from '../noise/model.ts'
import { createSampler } from '../noise/sampler.ts'
import { createGrid, voxelVolumeMm3 } from '../volume/grid.ts'

export interface DemoOptions {
  /** Fixes every random number. Default 0. */
  readonly seed?: number
  /** Noisy labels drawn for the Monte-Carlo figures. Default 300. */
  readonly samples?: number
  /** Default 144 × 120 × 96 voxels of 2 mm. */
  readonly phantom?: PhantomOptions
  /** Called now and then with the share done, 0 to 1. */
  readonly onProgress?: (share: number) => void
}

/** What the demo's report shows, as data. */
export interface DemoResults {
  readonly seed: number
  readonly samples: number
  readonly phantom: PhantomCase
  /** The organs, one for each label of the phantom from 1. */
  readonly organs: readonly DemoOrgan[]
  /** A few noisy labels at each of a few strengths. */
  readonly draws: readonly DemoDraws[]
  /** The noise under which marginals, expected Dice and frequencies are shown. */
  readonly noise: NoiseModel
  /** z-scores of sampled frequencies against the closed form, voxel by voxel, all organs pooled. */
  readonly zScores: Float32Array
  /** Voxels grouped by their marginal: its mean, and the mean share of samples that include them. */
  readonly frequencies: readonly { readonly marginal: number; readonly frequency: number; readonly voxels: number }[]
  /** The same σ with a length scale of half of it: what a folded field does. */
  readonly folded: DemoDraws
  /** Probability that the field folds, against σ/ℓ, in 1, 2 and 3 dimensions. */
  readonly folding: readonly { readonly ratio: number; readonly probability: readonly [number, number, number] }[]
}

export interface DemoOrgan {
  readonly label: number
  readonly name: string
  readonly volumeMl: number
  /** The optimum at each σ, mm: the theory's curve. */
  readonly curve: readonly (SoftDiceOptimum & { readonly sigmaMm: number })[]
  /** Marginals at `DemoResults.noise`, one a voxel, and their optimum. */
  readonly marginal: Float32Array
  readonly optimum: SoftDiceOptimum
  /** Dice of thresholded marginals against sampled labels. */
  readonly expected: SampledDice
}

export interface DemoDraws {
  readonly noise: NoiseModel
  readonly foldProbability: number
  readonly labels: readonly Uint8Array[]
}

/** Length scale over noise strength: ℓ = 4σ keeps folding below one in a thousand voxels, whatever σ is. */
const lengthRatio = 4

const curveMm = [1, 1.4, 2, 2.8, 4, 5.7, 8, 11, 16]
const drawsMm = [2, 4, 8]
const studyMm = 8
const drawsPerStrength = 5

/** Where the curves of expected Dice are drawn: every hundredth, and closer near 0, where the mask grows fast. */
const drawnThresholds = [0.002, 0.005, ...Array.from({ length: 98 }, (_, i) => (i + 1) / 100)]

/** The default phantom's field of view at a resolution that is pleasant to look at. */
const finePhantom: PhantomOptions = { shape: [144, 120, 96], spacing: [2, 2, 2] }

/**
 * Noise, marginals, optima and their Monte-Carlo checks on one case of the phantom: a few seconds of work.
 *
 * @example
 * const results = demoResults({ samples: 3, phantom: { shape: [24, 20, 16], spacing: [12, 12, 12] } })
 * results.organs.length // 4
 */
export function demoResults(options: DemoOptions = {}): DemoResults {
  const { seed = 0, samples = 300, onProgress = () => {} } = options
  const phantom = phantomCase(seed, 1, options.phantom ?? finePhantom)
  const { grid, data: labels } = phantom.labels
  const noise = isotropic(studyMm)

  const bare = phantom.names.slice(1).map((name, i) => {
    const label = i + 1
    const own = marginal(labels, grid, label, noise.sigmaMm)
    const curve = curveMm.map((sigmaMm) => ({
      ...softDiceOptimum(marginal(labels, grid, label, isotropic(sigmaMm).sigmaMm)),
      sigmaMm,
    }))
    const volumeMl = (labels.reduce((n, l) => n + Number(l === label), 0) * voxelVolumeMm3(grid)) / 1000
    return { label, name, volumeMl, curve, marginal: own, optimum: softDiceOptimum(own) }
  })
  onProgress(0.1)

  const draw = (model: NoiseModel): DemoDraws => {
    const sampler = createSampler(labels, grid, model)
    return {
      noise: model,
      foldProbability: foldProbability(model, grid),
      labels: Array.from({ length: drawsPerStrength }, (_, index) => sampler.sample(seed, index)),
    }
  }
  const draws = drawsMm.map((sigmaMm) => draw(isotropic(sigmaMm)))
  onProgress(0.15)

  const hits = bare.map(() => new Uint32Array(labels.length))
  const expected = bare.map((organ, i) =>
    sampledDice(
      { labels, grid, label: organ.label, noise, m: organ.marginal },
      {
        samples,
        seed,
        thresholds: drawnThresholds,
        onSample: (sample, index) => {
          for (let at = 0; at < sample.length; at++) hits[i][at] += sample[at]
          onProgress(0.15 + (0.85 * (i + (index + 1) / samples)) / bare.length)
        },
      },
    ),
  )

  return {
    seed,
    samples,
    phantom,
    organs: bare.map((organ, i) => ({ ...organ, expected: expected[i] })),
    draws,
    noise,
    zScores: zScores(hits, bare, samples),
    frequencies: frequencies(hits, bare, samples),
    folded: draw({ ...noise, lengthMm: studyMm / 2 }),
    folding: foldingCurve(),
  }
}

function isotropic(sigmaMm: number): NoiseModel {
  return { sigmaMm: [sigmaMm, sigmaMm, sigmaMm], lengthMm: lengthRatio * sigmaMm }
}

/** (k − n·m)/√(n·m(1−m)) where the normal approximation holds: variance of the count at least 10. */
function zScores(hits: readonly Uint32Array[], organs: readonly { marginal: Float32Array }[], n: number): Float32Array {
  const scores: number[] = []
  organs.forEach(({ marginal: m }, i) => {
    for (let at = 0; at < m.length; at++) {
      const variance = n * m[at] * (1 - m[at])
      if (variance >= 10) scores.push((hits[i][at] - n * m[at]) / Math.sqrt(variance))
    }
  })
  return Float32Array.from(scores)
}

function frequencies(hits: readonly Uint32Array[], organs: readonly { marginal: Float32Array }[], samples: number) {
  const bins = Array.from({ length: 20 }, () => ({ marginal: 0, hits: 0, voxels: 0 }))
  organs.forEach(({ marginal: m }, i) => {
    for (let at = 0; at < m.length; at++) {
      if (m[at] < 1e-3 || m[at] > 1 - 1e-3) continue // certain voxels would swamp the outer bins
      const bin = bins[Math.floor(m[at] * bins.length)]
      bin.marginal += m[at]
      bin.hits += hits[i][at]
      bin.voxels++
    }
  })
  return bins
    .filter((bin) => bin.voxels > 0)
    .map(({ marginal: sum, hits: k, voxels }) => ({
      marginal: sum / voxels,
      frequency: k / (voxels * samples),
      voxels,
    }))
}

function foldingCurve(): DemoResults['folding'] {
  const grids = [createGrid([8, 1, 1]), createGrid([8, 8, 1]), createGrid([8, 8, 8])]
  return Array.from({ length: 33 }, (_, i) => {
    const ratio = 0.2 * 5 ** (i / 32)
    const model: NoiseModel = { sigmaMm: [ratio, ratio, ratio], lengthMm: 1 }
    const [one, two, three] = grids.map((grid) => foldProbability(model, grid))
    return { ratio, probability: [one, two, three] }
  })
}
