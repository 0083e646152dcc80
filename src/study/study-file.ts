import { join } from 'node:path'
import { writeAtomically } from '../formats/atomic-write.ts'
import { readOwnFile } from '../formats/read-file.ts'
import { InputError } from '../volume/errors.ts'
import type { CaseIndex } from './case-index.ts'
import type { StudyConfig } from './config.ts'
import { planStudy, type StudyPlan } from './plan.ts'
import type { Predictions } from './predictions.ts'
import type { Versions } from './versions.ts'

/** What `study.json` holds: from it, the plan and the report follow without the data. */
export interface StudyFile {
  readonly format: 2
  /** What finished cells were made with; several where they differ, joined by commas. */
  readonly versions: Versions
  readonly config: StudyConfig
  /** The configuration as it was written. */
  readonly yaml: string
  readonly dataset: {
    readonly name: string
    readonly labels: Readonly<Record<string, readonly number[]>>
    readonly cases: CaseIndex['cases']
    readonly leftOut: CaseIndex['leftOut']
    readonly predictions?: Predictions
  }
}

const studyFileName = 'study.json'

export async function writeStudyFile(folder: string, study: StudyFile): Promise<void> {
  const path = join(folder, studyFileName)
  const text = `${JSON.stringify(study, undefined, 1)}\n`
  if (text !== String(await readOwnFile(path))) await writeAtomically(path, [Buffer.from(text)])
}

/** @throws InputError where the folder holds no study, or a damaged one */
export async function readStudyFile(folder: string): Promise<StudyFile> {
  const path = join(folder, studyFileName)
  const text = await readOwnFile(path)
  let study: Partial<Record<keyof StudyFile, unknown>>
  try {
    study = Object(JSON.parse(String(text)))
  } catch {
    throw new InputError(path, 'is missing or no JSON; give a folder that `halfdice study` wrote')
  }
  if (study.format === undefined) throw new InputError(path, 'is no study; give a folder that `halfdice study` wrote')
  if (study.format !== 2) throw new InputError(path, 'was written by another version; run the study again')
  try {
    planOf(study as StudyFile)
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(path, 'is damaged; run the study again with its configuration')
  }
  return study as StudyFile
}

export function planOf({ config, dataset }: StudyFile): StudyPlan {
  return planStudy(config, new Map(Object.entries(dataset.labels)), dataset)
}
