import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAtomically } from '../../formats/atomic-write.ts'
import type { StudyResults } from '../../study/results.ts'
import { studyFigures, studyReport } from './report.ts'

/** Writes `report.html` and `figures/NAME.svg` into a study's folder. Returns the report's path. */
export async function writeStudyReport(folder: string, results: StudyResults): Promise<string> {
  await mkdir(join(folder, 'figures'), { recursive: true })
  for (const [name, svg] of studyFigures(results)) {
    await writeAtomically(join(folder, 'figures', `${name}.svg`), [Buffer.from(`${svg}\n`)])
  }
  const report = join(folder, 'report.html')
  await writeAtomically(report, [Buffer.from(studyReport(results))])
  return report
}
