import { decodeProbabilities } from '../decision/decode/decode-probabilities.ts'
import { rmaOptimum } from '../decision/rma.ts'
import { softDiceAt } from '../decision/soft-dice-at.ts'
import { thresholdBins } from '../decision/threshold-bins.ts'

/** How a mask is cut from a probability map. */
export type StudyMethod =
  /** Soft-Dice's own output at ½. */
  | 'soft-dice@half'
  /** Cross-entropy's output at ½, at t* of its own prediction, at t* pooled over the training cases, … */
  | 'ce@half'
  | 'ce@case'
  | 'ce@dataset'
  /** … by the reciprocal-moment approximation, and at the threshold that is best for this case: the ceiling. */
  | 'ce@rma'
  | 'ce@oracle'
  /** The exact marginal of the clean label: what a perfect network would score at ½ and at t*. */
  | 'theory@half'
  | 'theory@case'

export const allMethods: readonly StudyMethod[] = [
  'soft-dice@half',
  'ce@half',
  'ce@case',
  'ce@dataset',
  'ce@rma',
  'ce@oracle',
  'theory@half',
  'theory@case',
]

/** What one mask of one case scores. */
export interface CaseScore {
  readonly method: StudyMethod
  readonly threshold: number
  /** Soft Dice of the mask under the map itself: for `@case` the sup-Dice D*, what the map promises. */
  readonly softDice: number
  readonly diceNoisy: number
  readonly diceClean: number
  /** Voxels of the mask over voxels of the clean label. */
  readonly volumeRatio: number
}

/** Thresholds that the oracle may choose from, beside those of the other methods. */
const oracleSteps = Array.from({ length: 999 }, (_, i) => (i + 1) / 1000)

/** Cross-entropy's map under every cut. */
export function scoreCrossEntropy(
  m: Float32Array,
  clean: Uint8Array,
  noisy: Uint8Array,
  datasetThreshold: number,
): CaseScore[] {
  const cuts: [StudyMethod, number][] = [
    ['ce@half', 0.5],
    ['ce@case', caseThreshold(m)],
    ['ce@dataset', datasetThreshold],
    ['ce@rma', rmaOptimum(m).threshold],
  ]
  const score = cutScorer(m, clean, noisy, [...oracleSteps, ...cuts.map(([, t]) => t)])
  const best = score.thresholds.reduce((a, b) => (score.at(b).diceNoisy > score.at(a).diceNoisy ? b : a))
  return [...cuts, ['ce@oracle', best] as const].map(([method, threshold]) => ({
    method,
    threshold,
    ...score.at(threshold),
  }))
}

/** Soft-Dice's map at ½. */
export function scoreSoftDice(m: Float32Array, clean: Uint8Array, noisy: Uint8Array): CaseScore[] {
  return [{ method: 'soft-dice@half', threshold: 0.5, ...cutScorer(m, clean, noisy, [0.5]).at(0.5) }]
}

/** The exact marginal at ½ and at its t*. */
export function scoreTheory(m: Float32Array, clean: Uint8Array, noisy: Uint8Array): CaseScore[] {
  const threshold = caseThreshold(m)
  const score = cutScorer(m, clean, noisy, [0.5, threshold])
  return [
    { method: 'theory@half', threshold: 0.5, ...score.at(0.5) },
    { method: 'theory@case', threshold, ...score.at(threshold) },
  ]
}

/** The per-case t*. Every organ of a study is in every case, so that no mask is left empty. */
function caseThreshold(m: Float32Array): number {
  return decodeProbabilities({ data: m, shape: [1, m.length] }, { presence: 'always' }).maps[0]?.threshold ?? 0.5
}

/** Counts once, then knows every listed threshold: voxels above it, and those of them in either label. */
function cutScorer(m: Float32Array, clean: Uint8Array, noisy: Uint8Array, asked: readonly number[]) {
  // A threshold of 0 would take every voxel of any map; no optimum asks for it unless the map is empty.
  const thresholds = [...new Set(asked)].filter((t) => t > 0).sort((a, b) => a - b)
  const { count, assign } = thresholdBins(thresholds)
  const bins = assign(m)
  const [all, inClean, inNoisy] = [0, 1, 2].map(() => new Float64Array(count + 1))
  for (let i = 0; i < bins.length; i++) {
    const bin = bins[i]
    all[bin]++
    inClean[bin] += clean[i]
    inNoisy[bin] += noisy[i]
  }
  for (const counts of [all, inClean, inNoisy]) for (let b = count - 1; b >= 0; b--) counts[b] += counts[b + 1]
  const dice = (overlap: number, a: number, b: number) => (a + b === 0 ? 1 : (2 * overlap) / (a + b))
  const at = (threshold: number): Omit<CaseScore, 'method' | 'threshold'> => {
    const bin = thresholds.indexOf(threshold) + 1
    return {
      softDice: softDiceAt(m, threshold).dice,
      diceNoisy: dice(inNoisy[bin], all[bin], inNoisy[0]),
      diceClean: dice(inClean[bin], all[bin], inClean[0]),
      volumeRatio: all[bin] / inClean[0],
    }
  }
  return { thresholds, at }
}
