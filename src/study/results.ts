import { assembleTables, type StudyTables } from './assemble.ts'
import { type Example, readExamples } from './examples.ts'
import type { StudyPlan } from './plan.ts'
import { type StudyFile, writeStudyFile } from './study-file.ts'
import { readCurves, type TrainingCurve } from './training-curves.ts'
import { finishedVersions } from './versions.ts'

/** All that a finished study has found, and all that its report shows. */
export interface StudyResults {
  readonly study: StudyFile
  readonly plan: StudyPlan
  readonly tables: StudyTables
  readonly examples: readonly Example[]
  readonly curves: readonly TrainingCurve[]
}

/**
 * Gathers a finished study's results from its folder, and writes `study.json` and the CSV tables there.
 *
 * @throws InputError where a cell is not finished
 */
export async function gatherResults(folder: string, plan: StudyPlan, opened: StudyFile): Promise<StudyResults> {
  const study = { ...opened, versions: (await finishedVersions(plan, folder)) ?? opened.versions }
  // Another study may have used the folder meanwhile: study.json must describe what the report is about.
  await writeStudyFile(folder, study)
  const tables = await assembleTables(study, plan, folder)
  const [examples, curves] = [await readExamples(plan, folder), await readCurves(plan, folder)]
  return { study, plan, tables, examples, curves }
}
