import { foldProbability } from '../noise/fold.ts'
import { marginal, marginalInBox } from '../noise/marginal.ts'
import type { NoiseModel } from '../noise/model.ts'
import { type Grid, type Vec3, voxelVolumeMm3 } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { type SampledDice, sampledDice } from './sampled-dice.ts'
import { softDiceOptimum } from './soft-dice.ts'

export interface LabelOptimaOptions {
  /** The labels, and the noise strengths of each axis in mm. */
  readonly labels: readonly number[]
  readonly sigmasMm: readonly Vec3[]
  /** How annotators differ beside σ: see `NoiseModel`. */
  readonly annotators?: Pick<NoiseModel, 'presence' | 'biasMm' | 'biasSdMm'> | undefined
  /** Adds the folding probability. */
  readonly lengthMm?: number | undefined
  /** With `lengthMm`: also the mean Dice over so many sampled labels. */
  readonly samples?: { readonly count: number; readonly seed: number } | undefined
  readonly onProgress?: (done: number) => void
}

/** What the best prediction of one label at one strength reaches. */
export interface LabelOptimum {
  readonly label: number
  readonly sigmaMm: Vec3
  readonly supDice: number
  readonly threshold: number
  readonly diceAtHalf: number
  readonly probabilityVolumeMl: number
  /** Volumes of the cut at ½ and of the Dice-optimal mask, relative to the expected volume. */
  readonly volumeRatioHalf: number
  readonly volumeRatioDice: number
  /** Where annotators may leave the label out: the expected Dice of an empty mask, 1 − q. */
  readonly emptyDice?: number
  readonly foldProbability?: number
  /** Over sampled labels: the mean Dice with its 95 % interval at ½, at t* and at the best threshold. */
  readonly expectedDice?: Pick<SampledDice, 'atHalf' | 'atOptimum' | 'best' | 'gain' | 'regret'>
}

/** The optimal predictions for labels of a map, label by label and strength by strength (`halfdice optimum`). */
export function labelOptima(values: LabelArray, grid: Grid, options: LabelOptimaOptions): LabelOptimum[] {
  const { labels, sigmasMm, annotators = {}, onProgress } = options
  const { presence = 1 } = annotators
  const rows: LabelOptimum[] = []
  for (const label of labels) {
    for (const sigmaMm of sigmasMm) {
      const m = marginalInBox(values, grid, label, { ...annotators, sigmaMm })
      const best = softDiceOptimum(m?.data ?? new Float32Array())
      rows.push({
        label,
        sigmaMm,
        supDice: best.supDice,
        threshold: best.threshold,
        diceAtHalf: best.diceAtHalf,
        probabilityVolumeMl: (best.probabilityVolume * voxelVolumeMm3(grid)) / 1000,
        volumeRatioHalf: best.volumeRatioHalf,
        volumeRatioDice: best.volumeRatio,
        ...(presence < 1 && { emptyDice: 1 - presence }),
        ...ofSamples(values, grid, label, sigmaMm, options),
      })
      onProgress?.(rows.length)
    }
  }
  return rows
}

function ofSamples(
  labels: LabelArray,
  grid: Grid,
  label: number,
  sigmaMm: Vec3,
  { lengthMm, samples, annotators }: LabelOptimaOptions,
): Pick<LabelOptimum, 'foldProbability' | 'expectedDice'> {
  if (lengthMm === undefined) return {}
  const noise = { ...annotators, sigmaMm, lengthMm }
  const folds = { foldProbability: foldProbability(noise, grid) }
  if (samples === undefined) return folds
  const m = marginal(labels, grid, label, noise)
  const draws = { samples: samples.count, seed: samples.seed }
  const { atHalf, atOptimum, best, gain, regret } = sampledDice({ labels, grid, label, noise, m }, draws)
  return { ...folds, expectedDice: { atHalf, atOptimum, best, gain, regret } }
}
