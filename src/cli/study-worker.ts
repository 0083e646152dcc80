import { cellSource } from '../study/open-study.ts'
import type { StudyPlan } from '../study/plan.ts'
import { type CellSource, runCell } from '../study/run-cell.ts'
import { planOf, readStudyFile } from '../study/study-file.ts'

export interface CellTask {
  /** The study's folder, the cell's path in it, and the folder to work in. */
  readonly study: string
  readonly path: string
  readonly folder: string
}

/** An error's own words: its class would not survive the way between processes. */
export type CellFailure = Readonly<Record<string, unknown>> & { readonly message: string }

// A run that was killed takes its workers along. Ctrl-C reaches workers too; their parent ends them, and tells why.
process.on('disconnect', () => process.exit(1))
process.on('SIGINT', () => undefined)
process.on('message', async (task: CellTask) => process.send?.(await run(task)))

let opened: { readonly study: string; readonly plan: StudyPlan; readonly source: CellSource } | undefined

/** One cell. Returns what went wrong, or null. */
async function run({ study, path, folder }: CellTask): Promise<CellFailure | null> {
  try {
    if (opened?.study !== study) {
      const file = await readStudyFile(study)
      opened = { study, plan: planOf(file), source: await cellSource(file.config, study) }
    }
    const cell = opened.plan.cells.find((one) => one.path === path)
    if (cell === undefined) throw new Error(`no cell ${path}`)
    await runCell(cell, folder, opened.source)
    return null
  } catch (error) {
    if (!(error instanceof Error)) return { message: String(error) }
    return { ...error, name: error.name, message: error.message, stack: error.stack }
  }
}
