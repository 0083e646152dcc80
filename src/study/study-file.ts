import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { writeAtomically } from '../formats/atomic-write.ts'
import { InputError } from '../volume/errors.ts'
import type { CaseIndex } from './case-index.ts'
import type { StudyConfig } from './config.ts'
import { planStudy, type StudyPlan } from './plan.ts'

/** What `study.json` holds: from it, the plan and the report follow without the data. */
export interface StudyFile {
  readonly format: 1
  readonly versions: Readonly<Record<string, string>>
  readonly config: StudyConfig
  readonly dataset: {
    readonly name: string
    readonly labels: Readonly<Record<string, readonly number[]>>
    readonly cases: CaseIndex['cases']
    readonly leftOut: CaseIndex['leftOut']
  }
}

const NAME = 'study.json'

export async function writeStudyFile(folder: string, study: StudyFile): Promise<void> {
  const path = join(folder, NAME)
  const text = `${JSON.stringify(study, undefined, 1)}\n`
  const before = await readFile(path, 'utf8').catch(() => '')
  if (text !== before) await writeAtomically(path, [Buffer.from(text)])
}

/** @throws InputError where the folder is no study's */
export async function readStudyFile(folder: string): Promise<StudyFile> {
  const path = join(folder, NAME)
  let study: StudyFile
  try {
    study = JSON.parse(await readFile(path, 'utf8')) as StudyFile
  } catch {
    throw new InputError(path, 'is missing or no JSON; give a folder that `halfdice study` wrote')
  }
  if (study.format !== 1) throw new InputError(path, 'was written by another version; run the study again')
  return study
}

export function planOf({ config, dataset }: StudyFile): StudyPlan {
  return planStudy(config, new Map(Object.entries(dataset.labels)), dataset)
}

/** What the numbers depend on beside the configuration and the data. */
export function runtimeVersions(halfdice: string): Record<string, string> {
  const require = createRequire(import.meta.url)
  let runtime = 'missing'
  try {
    runtime = (require('onnxruntime-node/package.json') as { version: string }).version
  } catch {
    // An optional dependency; training will say how to install it.
  }
  return {
    halfdice,
    node: process.versions.node,
    'onnxruntime-node': runtime,
    platform: `${process.platform}-${process.arch}`,
  }
}
