import { mkdir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { organParts } from '../datasets/dataset.ts'
import { openDataset } from '../datasets/open-dataset.ts'
import { requireRuntime } from '../network/runtime/locate.ts'
import { jointGroup } from '../noise/noise-seed.ts'
import { InputError } from '../volume/errors.ts'
import { randomStream } from '../volume/random.ts'
import { type CaseIndex, type IndexOptions, indexCases } from './case-index.ts'
import { CaseStore } from './case-store.ts'
import { claimsBelow, livingHolder } from './claim.ts'
import { locateData, type StudyConfig } from './config.ts'
import { planStudy, type StudyPlan } from './plan.ts'
import { findPredictions } from './predictions.ts'
import type { CellSource } from './run-cell.ts'
import { claimPath, isFinished } from './run-study.ts'
import { type StudyFile, writeStudyFile } from './study-file.ts'
import { finishedVersions, type Versions } from './versions.ts'

/** A configuration, the text it was read from, and the folder that its paths are relative to. */
export interface StudySource {
  readonly config: StudyConfig
  readonly yaml: string
  readonly base: string
}

/**
 * Opens the data set, reads every case once, plans the study, and writes `study.json` into its folder.
 *
 * @throws InputError for data that cannot be read or do not suit the configuration, and where another run is at work in
 * the folder on another study
 */
export async function openStudy(
  { config, yaml, base }: StudySource,
  folder: string,
  versions: Versions,
  options: IndexOptions & { readonly onCases?: (total: number) => void } = {},
): Promise<{ readonly plan: StudyPlan; readonly study: StudyFile }> {
  const { dataset, store } = await openSource(config, base, folder)
  options.onCases?.(dataset.cases.length)
  const index = await indexCases(dataset, store, { ...options, dimensions: config.training.dimensions })
  const { networks } = config
  const groups = config.joint ? [jointGroup] : config.organs
  const predictions = networks && (await findPredictions({ ...config, networks }, groups, base))
  const data = { ...withoutBase(index, base), ...(predictions && { predictions }) }
  const plan = planStudy(config, dataset.labels, data)
  if (plan.cells.some((cell) => cell.work.kind === 'training' && !isFinished(cell, folder))) requireRuntime()
  const study: StudyFile = {
    format: 2,
    versions: (await finishedVersions(plan, folder)) ?? versions,
    config,
    yaml,
    dataset: { name: dataset.name, labels: Object.fromEntries(dataset.labels), ...data },
  }
  await mkdir(folder, { recursive: true })
  await refuseBesideAnother(plan, folder)
  await writeStudyFile(folder, study)
  return { plan, study }
}

/** Reasons name files as the configuration does, so that results do not depend on where the data lie. */
function withoutBase({ cases, leftOut }: CaseIndex, base: string): CaseIndex {
  return { cases, leftOut: leftOut.map(({ id, reason }) => ({ id, reason: reason.replaceAll(`${base}${sep}`, '') })) }
}

/** Two studies may use one folder one after the other, since cells know what they belong to, but not at once. */
async function refuseBesideAnother(plan: StudyPlan, folder: string): Promise<void> {
  const own = new Set(plan.cells.map((cell) => claimPath(cell, folder)))
  for (const path of await claimsBelow(join(folder, 'runs'))) {
    const holder = own.has(path) ? undefined : await livingHolder(path)
    if (holder === undefined) continue
    const who = holder.host === '' ? 'another run' : `another run (process ${holder.pid} on ${holder.host})`
    const fault = `${who} is at work there with another configuration; wait for its end, or give another folder`
    throw new InputError(folder, fault)
  }
}

/** The cases as cells read them. */
export async function cellSource(
  { config, base }: Pick<StudySource, 'config' | 'base'>,
  folder: string,
  versions: Versions,
): Promise<CellSource> {
  const { dataset, store } = await openSource(config, base, folder)
  return {
    cases: dataset.cases,
    store,
    dataset: dataset.name,
    versions,
    base,
    ...(config.networks && { networks: config.networks }),
  }
}

async function openSource(config: StudyConfig, base: string, folder: string) {
  const parts = [...new Set(config.organs.flatMap(organParts))]
  const data = locateData(config.data, base)
  const whole = await openDataset(data, parts)
  const dataset = { ...whole, cases: drawn(whole.cases, config.maxCases, config.seed) }
  const store = new CaseStore(dataset, config.spacingMm, join(folder, 'cache'), [data, parts])
  return { dataset, store }
}

/** At most `count` cases, drawn without replacement, in their order. */
function drawn<T>(cases: readonly T[], count: number | undefined, seed: number): readonly T[] {
  if (count === undefined || cases.length <= count) return cases
  const random = randomStream(seed, 'cases')
  const keyed = cases.map((one, at) => ({ one, at, key: random.uniform() })).sort((a, b) => a.key - b.key)
  return keyed
    .slice(0, count)
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one)
}
