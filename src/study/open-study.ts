import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { organParts } from '../datasets/dataset.ts'
import { openDataset } from '../datasets/open-dataset.ts'
import { randomStream } from '../datasets/phantom/random.ts'
import { type IndexOptions, indexCases } from './case-index.ts'
import { CaseStore } from './case-store.ts'
import type { StudyConfig } from './config.ts'
import { planStudy, type StudyPlan } from './plan.ts'
import type { CellSource } from './run-cell.ts'
import { type StudyFile, writeStudyFile } from './study-file.ts'

/**
 * Opens the data set, reads every case once, plans the study, and writes `study.json` into its folder.
 *
 * @throws InputError for data that cannot be read or do not suit the configuration
 */
export async function openStudy(
  config: StudyConfig,
  folder: string,
  versions: StudyFile['versions'],
  options: IndexOptions & { readonly onCases?: (total: number) => void } = {},
): Promise<{ readonly plan: StudyPlan; readonly study: StudyFile }> {
  const { dataset, store } = await openSource(config, folder)
  options.onCases?.(dataset.cases.length)
  const index = await indexCases(dataset, store, options)
  const plan = planStudy(config, dataset.labels, index)
  const study: StudyFile = {
    format: 1,
    versions,
    config,
    dataset: { name: dataset.name, labels: Object.fromEntries(dataset.labels), ...index },
  }
  await mkdir(folder, { recursive: true })
  await writeStudyFile(folder, study)
  return { plan, study }
}

/** The cases as cells read them. */
export async function cellSource(config: StudyConfig, folder: string): Promise<CellSource> {
  const { dataset, store } = await openSource(config, folder)
  return { cases: dataset.cases, store, dataset: dataset.name }
}

async function openSource(config: StudyConfig, folder: string) {
  const parts = [...new Set(config.organs.flatMap(organParts))]
  const whole = await openDataset(config.data, parts)
  const dataset = { ...whole, cases: drawn(whole.cases, config.maxCases, config.seed) }
  const store = new CaseStore(dataset, config.spacingMm, join(folder, 'cache'), [config.data, parts])
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
