import { stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { filesOf, findCases } from '../maps/find-cases.ts'
import { sigmaText } from '../noise/noise-seed.ts'
import { InputError } from '../volume/errors.ts'
import type { PredictionSource, StudyConfig, StudyLoss } from './config.ts'

/** Where one case's probabilities lie. */
export interface PredictedCase {
  /** Relative to the configuration's folder. */
  readonly path: string
  readonly kind: 'array' | 'image' | 'folder'
  /** Sizes and times of the files: what was scored is scored anew when these change. */
  readonly files: string
}

/** What other programs' networks have predicted, as data that the plan follows from. */
export interface Predictions {
  /** The fold of each case, by group and case. */
  readonly folds: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** By `predictionKey`, then by case. */
  readonly cases: Readonly<Record<string, Readonly<Record<string, PredictedCase>>>>
}

export interface PredictionKey {
  readonly loss: StudyLoss
  readonly group: string
  readonly sigmaMm: Parameters<typeof sigmaText>[0]
  readonly replicate: number
}

export function predictionKey({ loss, group, sigmaMm, replicate }: PredictionKey): string {
  return `${loss}/${group}/${sigmaText(sigmaMm)}/${replicate}`
}

/**
 * Finds the predictions that a configuration names (`networks`): those of every loss, group of organs, strength and
 * replicate, in a folder a fold or in one. All must divide the cases into the same folds.
 *
 * @param groups names of the groups of organs
 * @throws InputError where a folder is missing, a case lies in two folds, or folds differ
 */
export async function findPredictions(
  config: StudyConfig & { readonly networks: PredictionSource },
  groups: readonly string[],
  base: string,
): Promise<Predictions> {
  const folds: Record<string, Record<string, number>> = {}
  const cases: Record<string, Record<string, PredictedCase>> = {}
  for (const group of groups) {
    for (const { sigmaMm } of config.noise) {
      for (let replicate = 0; replicate < config.replicates; replicate++) {
        for (const loss of config.losses) {
          const place = { loss, group, sigmaMm, replicate }
          const found = await findFolds(place, config, base)
          cases[predictionKey(place)] = found.cases
          folds[group] = agreed(folds[group], found.folds, found.pattern)
        }
      }
    }
  }
  return { folds, cases }
}

async function findFolds(place: PredictionKey, { networks, folds }: FoldedNetworks, base: string) {
  const pattern = networks.folders[place.loss] ?? ''
  const named = pattern
    .replaceAll('{organ}', place.group)
    .replaceAll('{sigma}', sigmaText(place.sigmaMm))
    .replaceAll('{replicate}', String(place.replicate))
  const count = named.includes('{fold}') ? folds : 1
  const foldOf: Record<string, number> = {}
  const cases: Record<string, PredictedCase> = {}
  for (let fold = 0; fold < count; fold++) {
    const folder = join(base, named.replaceAll('{fold}', String(fold)))
    for (const one of findCases([folder]).cases) {
      const before = foldOf[one.name]
      if (before !== undefined) {
        const where = before === fold ? `twice in ${folder}` : `in folds ${before} and ${fold}`
        throw new InputError(one.input, `the case ${one.name} lies ${where}; folds must not overlap`)
      }
      foldOf[one.name] = fold
      const stamps = await Promise.all(filesOf(one).map(stampOf))
      cases[one.name] = { path: relative(base, one.input), kind: one.kind, files: stamps.join() }
    }
  }
  return { folds: foldOf, cases, pattern: named }
}

type FoldedNetworks = Pick<StudyConfig, 'folds'> & { readonly networks: PredictionSource }

async function stampOf(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path)
  return `${size}@${mtimeMs}`
}

/** Losses are compared case by case: where one network has learned from a case that another has not, that is unfair. */
function agreed(
  before: Readonly<Record<string, number>> | undefined,
  folds: Record<string, number>,
  pattern: string,
): Record<string, number> {
  if (before === undefined) return folds
  for (const [id, fold] of Object.entries(folds)) {
    if (before[id] === undefined || before[id] === fold) continue
    const fault = `the case ${id} lies in fold ${fold} here and in fold ${before[id]} of other networks`
    throw new InputError(pattern, `${fault}; train all of them with one splits_final.json`)
  }
  return { ...folds, ...before }
}
