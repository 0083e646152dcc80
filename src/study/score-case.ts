import { decodeProbabilities } from '../decision/decode/decode-probabilities.ts'
import { rmaOptimum } from '../decision/rma.ts'
import { softDiceAt } from '../decision/soft-dice-at.ts'
import { thresholdBins } from '../decision/threshold-bins.ts'
import { volumeCut } from '../decision/volume-cut.ts'
import { type BetaCalibration, calibrated, fitBetaCalibration } from '../metrics/beta-calibration.ts'
import { bestSoftCut, type CutTable, diceAtCuts, tableCuts } from '../metrics/cut-table.ts'

/** Methods' names for losses whose networks give probabilities: cross-entropy, alone and with Dice added. */
export const probabilityLosses = { 'cross-entropy': 'ce', 'dice+cross-entropy': 'dice-ce' } as const
type ProbabilityPrefix = (typeof probabilityLosses)[keyof typeof probabilityLosses]

/**
 * How probabilities are cut: at ½; at t* of the case's own map; at t* pooled over the training cases; by the
 * reciprocal-moment approximation; where the mask has the expected volume; at t* after a calibration that other
 * held-out patients have fitted; and at the threshold that is best for this case, the ceiling.
 */
const probabilityCuts = ['half', 'case', 'dataset', 'rma', 'volume', 'calibrated', 'oracle'] as const

/**
 * How a mask is made: the loss, and how the network's output is cut. `theory`: the exact marginal of the clean label,
 * what a perfect network would score.
 */
export type StudyMethod =
  | 'soft-dice@half'
  | `${ProbabilityPrefix}@${(typeof probabilityCuts)[number]}`
  | 'theory@half'
  | 'theory@case'
  | 'theory@volume'

export const allMethods: readonly StudyMethod[] = [
  'soft-dice@half',
  ...Object.values(probabilityLosses).flatMap((prefix) => probabilityCuts.map((cut) => `${prefix}@${cut}` as const)),
  'theory@half',
  'theory@case',
  'theory@volume',
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

/** A network's probabilities under every cut but the calibrated one, which needs other cases (`scoreCalibrated`). */
export function scoreProbabilities(
  prefix: ProbabilityPrefix,
  m: Float32Array,
  clean: Uint8Array,
  noisy: Uint8Array,
  datasetThreshold?: number,
): CaseScore[] {
  const cuts: [StudyMethod, number][] = [
    [`${prefix}@half`, 0.5],
    [`${prefix}@case`, caseThreshold(m)],
    ...(datasetThreshold === undefined ? [] : [[`${prefix}@dataset`, datasetThreshold] as [StudyMethod, number]]),
    [`${prefix}@rma`, rmaOptimum(m).threshold],
    [`${prefix}@volume`, volumeCut(m).threshold],
  ]
  const score = cutScorer(m, clean, noisy, [...oracleSteps, ...cuts.map(([, t]) => t)])
  const best = score.thresholds.reduce((a, b) => (score.diceNoisy(b) > score.diceNoisy(a) ? b : a))
  return [...cuts, [`${prefix}@oracle`, best] as const].map(([method, threshold]) => ({
    method,
    threshold,
    ...score.at(threshold),
  }))
}

/** One held-out case of a network: its map against both labels, at every cut. */
export interface TabledCase {
  readonly patient: string
  readonly noisy: CutTable
  readonly clean: CutTable
}

/**
 * Each case at t* of its probabilities after a beta calibration that the network's other held-out patients have fitted
 * to their noisy labels: what `tune` does, cross-fitted. A network with a single patient is left as it is.
 */
export function scoreCalibrated(prefix: ProbabilityPrefix, cases: readonly TabledCase[]): CaseScore[] {
  const fits = new Map<string, BetaCalibration>()
  return cases.map(({ patient, noisy, clean }) => {
    const others = cases.filter((one) => one.patient !== patient).map((one) => one.noisy)
    const fit = fits.get(patient) ?? (others.length === 0 ? { a: 1, b: 1, c: 0 } : fitBetaCalibration(others))
    fits.set(patient, fit)
    const { cut, supDice, count } = bestSoftCut(noisy, (p) => calibrated(fit, p))
    return {
      method: `${prefix}@calibrated`,
      threshold: tableCuts[cut],
      softDice: supDice,
      diceNoisy: diceAtCuts(noisy)[cut],
      diceClean: diceAtCuts(clean)[cut],
      volumeRatio: count / clean.hits.reduce((a, b) => a + b, 0),
    }
  })
}

/** Soft-Dice's map at ½. */
export function scoreSoftDice(m: Float32Array, clean: Uint8Array, noisy: Uint8Array): CaseScore[] {
  return [{ method: 'soft-dice@half', threshold: 0.5, ...cutScorer(m, clean, noisy, [0.5]).at(0.5) }]
}

/** The exact marginal at ½, at its t* and at its expected volume. */
export function scoreTheory(m: Float32Array, clean: Uint8Array, noisy: Uint8Array): CaseScore[] {
  const cuts: [StudyMethod, number][] = [
    ['theory@half', 0.5],
    ['theory@case', caseThreshold(m)],
    ['theory@volume', volumeCut(m).threshold],
  ]
  const score = cutScorer(
    m,
    clean,
    noisy,
    cuts.map(([, t]) => t),
  )
  return cuts.map(([method, threshold]) => ({ method, threshold, ...score.at(threshold) }))
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
  const binOf = new Map(thresholds.map((threshold, i) => [threshold, i + 1]))
  const diceNoisy = (threshold: number) => {
    const bin = binOf.get(threshold) ?? 0
    return dice(inNoisy[bin], all[bin], inNoisy[0])
  }
  const at = (threshold: number): Omit<CaseScore, 'method' | 'threshold'> => {
    const bin = binOf.get(threshold) ?? 0
    return {
      // The only figure that takes a pass over the map: for a few thresholds, not for all that the oracle looks at.
      softDice: softDiceAt(m, threshold).dice,
      diceNoisy: diceNoisy(threshold),
      diceClean: dice(inClean[bin], all[bin], inClean[0]),
      volumeRatio: all[bin] / inClean[0],
    }
  }
  return { thresholds, diceNoisy, at }
}
