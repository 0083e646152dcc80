import { createHash } from 'node:crypto'
import { organParts } from '../datasets/dataset.ts'
import { balancedFolds } from '../datasets/folds.ts'
import type { NoiseModel } from '../noise/model.ts'
import { jointGroup, sigmaText } from '../noise/noise-seed.ts'
import type { OutputSpec } from '../training/model-file.ts'
import type { TrainingConfig } from '../training/training-config.ts'
import { InputError } from '../volume/errors.ts'
import { randomStream } from '../volume/random.ts'
import type { CaseIndex, IndexedCase } from './case-index.ts'
import type { StudyConfig, StudyLoss } from './config.ts'
import { type PredictedCase, type Predictions, predictionKey } from './predictions.ts'

/**
 * Raise it when a cell's numbers for the same plan change: finished cells of older studies are then not reused.
 */
const cellFormat = 6

/** Organs that are trained, and whose noise is drawn, together: one organ, or all where the study is joint. */
export interface OrganGroup {
  /** The organ's name, or `joint`. */
  readonly name: string
  readonly organs: readonly OutputSpec[]
  readonly cases: readonly PlannedCase[]
  /** Cases without one of the organs. */
  readonly absent: readonly string[]
}

export interface PlannedCase {
  readonly id: string
  readonly patient: string
  readonly fold: number
}

/** A piece of work whose folder is its result. Its path names all that the result depends on, by a digest. */
export interface Cell extends NoiseModel {
  /** Below the study's folder. */
  readonly path: string
  readonly group: string
  readonly organs: readonly OutputSpec[]
  /** Which draw of the noise and of the training's random numbers, from 0. */
  readonly replicate: number
  readonly noiseSeed: number
  /** Cases that are scored. */
  readonly validation: readonly PlannedCase[]
  readonly work: TrainingWork | PredictedWork | { readonly kind: 'theory' }
}

/** Maps that another program's network has predicted. */
export interface PredictedWork {
  readonly kind: 'predictions'
  readonly loss: StudyLoss
  readonly fold: number
  /** By case. */
  readonly found: Readonly<Record<string, PredictedCase>>
  readonly predictions: StudyConfig['predictions']
}

export interface TrainingWork {
  readonly kind: 'training'
  readonly loss: StudyLoss
  readonly fold: number
  readonly training: readonly PlannedCase[]
  readonly config: TrainingConfig
  /** Of the computation; default 1. */
  readonly threads?: number
  readonly predictions: StudyConfig['predictions']
}

/** What is known of the data when a study is planned. */
export interface PlannedData extends Pick<CaseIndex, 'cases'> {
  readonly predictions?: Predictions
}

export interface StudyPlan {
  readonly groups: readonly OrganGroup[]
  /** In the order in which they are best run. */
  readonly cells: readonly Cell[]
}

/**
 * The study as pure data: replicates × groups of organs × noise strengths × folds × losses, each an immutable cell, and
 * for each replicate, group and strength one cell of theory. The same configuration and data give the same plan on
 * every machine.
 *
 * @param labels label values by name, from the data set
 * @throws InputError for an organ that the data set does not have, and for fewer patients than folds
 */
export function planStudy(
  config: StudyConfig,
  labels: ReadonlyMap<string, readonly number[]>,
  { cases, predictions }: PlannedData,
): StudyPlan {
  const organs = config.organs.map((name) => outputOf(name, labels))
  const sets = config.joint
    ? [{ name: jointGroup, organs }]
    : organs.map((organ) => ({ name: organ.name, organs: [organ] }))
  const groups = sets.map((set) => groupOf(set, cases, config, predictions?.folds[set.name]))
  const digests = new Map(cases.map(({ id, digest }) => [id, digest]))
  const splits = new Map(groups.map((group) => [group, splitsOf(group, digests)]))
  const cells: Cell[] = []
  for (let replicate = 0; replicate < config.replicates; replicate++) {
    for (const noise of config.noise) {
      for (const group of groups) {
        // Of everything that a replicate draws anew; folds are the same in all.
        const noiseSeed = config.seed + replicate
        const common = { group: group.name, organs: group.organs, ...noise, replicate, noiseSeed }
        const place = `runs/${folderName(group.name)}/${sigmaText(noise.sigmaMm)}`
        const add = (name: string, { validation, digest: ofCases }: Split, work: Cell['work']) => {
          const { training: _, ...own } = { training: [], ...work }
          const digest = digestOf([common, own, ofCases, cellFormat])
          const again = replicate === 0 ? '' : `/replicate-${replicate}`
          cells.push({ path: `${place}${again}/${name}-${digest}`, ...common, validation, work })
        }
        const [all = noSplit, ...folds] = splits.get(group) ?? []
        add('theory/all', all, { kind: 'theory' })
        for (const split of folds) {
          const { fold, validation, training } = split
          for (const loss of config.losses) {
            const common = { loss, fold, predictions: config.predictions }
            const key = predictionKey({ loss, group: group.name, ...noise, replicate })
            const work: Cell['work'] =
              predictions === undefined
                ? {
                    kind: 'training',
                    ...common,
                    training,
                    config: trainingConfig(config, group, loss, fold, noiseSeed),
                    ...(config.threads > 1 && { threads: config.threads }),
                  }
                : {
                    kind: 'predictions',
                    ...common,
                    found: foundOf(validation, predictions.cases[key] ?? {}, group.name, loss),
                  }
            add(`${loss}/fold-${fold}`, split, work)
          }
        }
      }
    }
  }
  return { groups, cells }
}

/** Cases that are scored, and those that are learned from, with a digest of both: lists are long and used often. */
interface Split {
  readonly fold: number
  readonly validation: readonly PlannedCase[]
  readonly training: readonly PlannedCase[]
  readonly digest: string
}

const noSplit: Split = { fold: 0, validation: [], training: [], digest: '' }

/** All cases of a group, as theory scores them, then its folds. */
function splitsOf({ cases }: OrganGroup, digests: ReadonlyMap<string, string>): Split[] {
  const split = (fold: number, validation: readonly PlannedCase[], training: readonly PlannedCase[]): Split => {
    const digest = digestOf([validation, training].map((list) => list.map((one) => [one, digests.get(one.id)])))
    return { fold, validation, training, digest }
  }
  const folds = [...new Set(cases.map(({ fold }) => fold))].sort((a, b) => a - b)
  const held = folds.map((fold) => {
    const isHeld = (one: PlannedCase) => one.fold === fold
    return split(
      fold,
      cases.filter(isHeld),
      cases.filter((one) => !isHeld(one)),
    )
  })
  return [split(0, cases, []), ...held]
}

/** @throws InputError where a case lacks its prediction */
function foundOf(
  validation: readonly PlannedCase[],
  all: Readonly<Record<string, PredictedCase>>,
  group: string,
  loss: StudyLoss,
): Record<string, PredictedCase> {
  return Object.fromEntries(
    validation.map(({ id }) => {
      if (all[id] !== undefined) return [id, all[id]]
      throw new InputError('networks', `no prediction of ${id} for ${group} with ${loss}; predict it, or leave it out`)
    }),
  )
}

function trainingConfig(
  config: StudyConfig,
  group: OrganGroup,
  loss: StudyLoss,
  fold: number,
  seed: number,
): TrainingConfig {
  return {
    ...config.training,
    // All losses and strengths start from the same weights and see the same patches: comparisons are paired.
    seed: Math.floor(randomStream(seed, 'training', group.name, fold).uniform() * 2 ** 31),
    outputs: group.organs,
    loss: { kind: loss, scope: config.softDice.scope, smoothing: config.softDice.smoothing },
  }
}

function outputOf(name: string, labels: ReadonlyMap<string, readonly number[]>): OutputSpec {
  const values = organParts(name).flatMap((part) => {
    const found = labels.get(part)
    if (found !== undefined) return found
    throw new InputError('organs', `'${part}' is no label of this data set; it has ${[...labels.keys()].join(', ')}`)
  })
  return { name, labels: [...new Set(values)].sort((a, b) => a - b) }
}

function groupOf(
  { name, organs }: Pick<OrganGroup, 'name' | 'organs'>,
  cases: readonly IndexedCase[],
  { folds, seed }: StudyConfig,
  given?: Readonly<Record<string, number>>,
): OrganGroup {
  const volume = (one: IndexedCase, { labels }: OutputSpec) =>
    labels.reduce((sum, label) => sum + (one.volumesMl[label] ?? 0), 0)
  const present = cases.filter((one) => organs.every((organ) => volume(one, organ) > 0))
  const absent = cases.filter((one) => !present.includes(one)).map(({ id }) => id)
  if (given !== undefined) return { name, organs, absent, cases: withFolds(present, given, name) }
  const patients = new Set(present.map(({ patient }) => patient)).size
  if (patients < folds) {
    const where = absent.length === 0 ? '' : ` (${absent.length} more lack ${organs.map((o) => o.name).join(' or ')})`
    throw new InputError(
      'folds',
      `${name}: ${patients} patients for ${folds} folds${where}; use fewer folds or more cases`,
    )
  }
  // Each organ counts alike, whatever its size.
  const means = organs.map((organ) => present.reduce((sum, one) => sum + volume(one, organ), 0) / present.length)
  const sizes = present.map((one) => organs.reduce((sum, organ, k) => sum + volume(one, organ) / means[k], 0))
  const fold = balancedFolds(
    present.map(({ patient }) => patient),
    sizes,
    folds,
    seed,
  )
  return { name, organs, absent, cases: present.map(({ id, patient }, i) => ({ id, patient, fold: fold[i] })) }
}

/** @throws InputError where a case is in no fold, or a patient in two */
function withFolds(
  cases: readonly IndexedCase[],
  folds: Readonly<Record<string, number>>,
  group: string,
): PlannedCase[] {
  const foldOf = new Map<string, number>()
  return cases.map(({ id, patient }) => {
    const fold = folds[id]
    if (fold === undefined) {
      throw new InputError('networks', `no fold of ${group} has a prediction of ${id}; predict it, or leave it out`)
    }
    const other = foldOf.get(patient) ?? fold
    if (other !== fold) {
      throw new InputError('networks', `folds ${other} and ${fold} of ${group} share patient ${patient}; train again`)
    }
    foldOf.set(patient, fold)
    return { id, patient, fold }
  })
}

function folderName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9+_.-]/g, '_')
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 10)
}
