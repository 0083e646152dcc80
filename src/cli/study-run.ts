import { constants } from 'node:os'
import { writeStudyReport } from '../report/study/write.ts'
import { type Conducted, conductStudy, type StudyOptions } from '../study/conduct.ts'
import type { StudySource } from '../study/open-study.ts'
import type { Cell, StudyPlan } from '../study/plan.ts'
import { trainingSteps } from '../study/progress.ts'
import { isFinished } from '../study/run-study.ts'
import { isQuiet, warn } from './print.ts'
import { type Progress, startProgress } from './progress.ts'
import { version } from './version.ts'

/** Ctrl-C, and how batch systems announce the end: USR1 where they are asked to, ahead of it. */
const endings = ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const

/**
 * Conducts a study from a terminal, up to its report: progress and warnings on standard error, and Ctrl-C stops it.
 *
 * @param quiet no line for each finished cell where standard error is no terminal
 * @returns undefined where the user stopped it; the exit code is set then
 */
export async function runStudy(
  source: StudySource,
  folder: string,
  options: StudyOptions & { readonly quiet: boolean },
): Promise<Conducted | undefined> {
  const controller = new AbortController()
  let told: NodeJS.Signals | undefined
  const interrupt = (signal: NodeJS.Signals) => {
    told ??= signal
    controller.abort(new Error('stopped'))
  }
  for (const signal of endings) process.once(signal, interrupt)
  let reading: Progress | undefined
  let training: ReturnType<typeof trainingProgress> | undefined
  try {
    return await conductStudy(source, folder, version(), {
      ...options,
      signal: controller.signal,
      onWarning: warn,
      onReading(done, total) {
        reading ??= startProgress('reading', total)
        reading.update(done)
        if (done === total) reading.end()
      },
      onTraining(plan, own) {
        training = trainingProgress(plan, own, folder, options.quiet)
      },
      onCell: (cell) => training?.onCell(cell),
      async onResults(results) {
        training?.end()
        await writeStudyReport(folder, results)
      },
    })
  } catch (error) {
    if (!controller.signal.aborted) throw error
    training?.end()
    process.stderr.write('halfdice: study: stopped; run the same command again to go on\n')
    process.exitCode = 128 + constants.signals[told ?? 'SIGINT']
    return undefined
  } finally {
    reading?.end()
    training?.end()
    for (const signal of endings) process.off(signal, interrupt)
  }
}

/**
 * A progress line by training steps of a run's `own` cells, those under way included; where there is no terminal, a
 * line for each finished cell.
 */
function trainingProgress(plan: StudyPlan, own: readonly Cell[], folder: string, quiet: boolean) {
  const before = trainingSteps(own, folder)
  const line = startProgress('training steps', before.total - before.done)
  const update = () => line.update(trainingSteps(own, folder).done - before.done)
  const timer = process.stderr.isTTY ? setInterval(update, 2000) : undefined
  let count = plan.cells.filter((cell) => isFinished(cell, folder)).length
  return {
    onCell(cell: Cell) {
      count++
      if (process.stderr.isTTY) update()
      else if (!quiet && !isQuiet()) process.stderr.write(`${count}/${plan.cells.length} ${cell.path}\n`)
    },
    end() {
      clearInterval(timer)
      line.end()
    },
  }
}
