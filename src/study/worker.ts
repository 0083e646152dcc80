import { cellSource } from './open-study.ts'
import type { StudyPlan } from './plan.ts'
import { type CellSource, runCell } from './run-cell.ts'
import { planOf, type StudyFile } from './study-file.ts'
import type { Versions } from './versions.ts'

/** A worker's first message: the study as its parent has planned it, whatever the folder holds by now. */
export interface StudyTask {
  readonly study: StudyFile
  /** The folder that the configuration's paths are relative to, and the study's own. */
  readonly base: string
  readonly folder: string
  /** Versions of what runs here. */
  readonly versions: Versions
}

export interface CellTask {
  /** The cell's path in the study's folder, and the folder to work in. */
  readonly path: string
  readonly folder: string
  readonly spareThreads: number
}

/** Write a checkpoint, answer and take no more work. */
export interface StopTask {
  readonly stop: true
}

/** An error as plain data: classes are lost between processes. */
export type CellFailure = Readonly<Record<string, unknown>> & { readonly message: string }

// Workers end with their parent, even where that was killed. Ctrl-C reaches workers too: they leave it to the parent.
process.on('disconnect', () => process.exit(1))
// So do the signals by which a batch system announces the end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const) process.on(signal, () => undefined)
process.on('message', async (task: StudyTask | CellTask | StopTask) => {
  if ('study' in task) given = task
  else if ('stop' in task) stop.abort(new Error('stopped'))
  else process.send?.(await run(task))
})

const stop = new AbortController()

let given: StudyTask | undefined
let opened: { readonly plan: StudyPlan; readonly source: CellSource } | undefined

/** One cell. Returns what went wrong, or null. */
async function run({ path, folder, spareThreads }: CellTask): Promise<CellFailure | null> {
  try {
    if (given === undefined) throw new Error('no study was given')
    opened ??= {
      plan: planOf(given.study),
      source: await cellSource({ ...given.study, base: given.base }, given.folder, given.versions),
    }
    const cell = opened.plan.cells.find((one) => one.path === path)
    if (cell === undefined) throw new Error(`no cell ${path}`)
    await runCell(cell, folder, opened.source, { signal: stop.signal, spareThreads })
    return null
  } catch (error) {
    if (!(error instanceof Error)) return { message: String(error) }
    return { ...error, name: error.name, message: error.message, stack: error.stack }
  }
}
