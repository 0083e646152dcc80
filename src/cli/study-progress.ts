import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EpochLog } from '../network/train.ts'
import { lossOf } from '../study/assemble.ts'
import { type Cell, type StudyPlan, sigmaText } from '../study/plan.ts'
import { isFinished, workFolder } from '../study/run-study.ts'
import { startProgress } from './progress.ts'

/** A progress line by training steps, those under way included; where there is no terminal, a line for each finished cell. */
export function studyProgress(plan: StudyPlan, folder: string, quiet: boolean) {
  const already = plan.cells.filter((cell) => isFinished(cell, folder))
  const steps = (cells: readonly Cell[]) => cells.reduce((sum, { work }) => sum + stepsOf(work), 0)
  const line = startProgress('training steps', steps(plan.cells) - steps(already))
  const update = () => {
    const done = plan.cells.filter((cell) => isFinished(cell, folder))
    const underWay = plan.cells.filter((cell) => !done.includes(cell))
    const partly = underWay.reduce((sum, cell) => sum + stepsDone(cell, folder), 0)
    line.update(steps(done) - steps(already) + partly)
  }
  const timer = process.stderr.isTTY ? setInterval(update, 2000) : undefined
  let count = already.length
  return {
    onCell(cell: Cell) {
      count++
      if (process.stderr.isTTY) update()
      else if (!quiet) process.stderr.write(`${count}/${plan.cells.length} ${cell.path}\n`)
    },
    end() {
      clearInterval(timer)
      line.end()
    },
  }
}

/** How much is done, by organ, strength and loss. */
export async function progressOf(plan: StudyPlan, folder: string) {
  const rows = new Map<
    string,
    { organ: string; sigmaMm: string; loss: string; done: number; total: number; underWay: number }
  >()
  let seconds = 0
  for (const cell of plan.cells) {
    const about = { organ: cell.group, sigmaMm: sigmaText(cell.sigmaMm), loss: lossOf(cell) }
    const key = JSON.stringify(about)
    const row = rows.get(key) ?? { ...about, done: 0, total: 0, underWay: 0 }
    rows.set(key, row)
    row.total++
    if (isFinished(cell, folder)) row.done++
    else if (stepsDone(cell, folder) > 0) row.underWay++
    for (const epoch of linesOf(join(folder, cell.path, 'timing.jsonl'))) {
      seconds += (epoch.seconds ?? 0) + (epoch.validationSeconds ?? 0)
    }
  }
  const sum = (key: 'done' | 'underWay') => [...rows.values()].reduce((n, row) => n + row[key], 0)
  return { rows: [...rows.values()], done: sum('done'), underWay: sum('underWay'), trainingHours: seconds / 3600 }
}

function stepsOf(work: Cell['work']): number {
  return work.kind === 'training' ? work.config.steps : 0
}

/** Steps of a cell under way, by its log. */
function stepsDone(cell: Cell, folder: string): number {
  return linesOf(join(workFolder(cell, folder), 'log.jsonl')).at(-1)?.step ?? 0
}

function linesOf(path: string): Partial<EpochLog>[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean)
    return lines.map((line) => JSON.parse(line) as Partial<EpochLog>)
  } catch {
    return []
  }
}
