import { join } from 'node:path'
import { readOwnFileSync } from '../formats/read-file.ts'
import type { EpochLog } from '../network/train.ts'
import { sigmaText } from '../noise/noise-seed.ts'
import { lossOf } from './assemble.ts'
import { parseLog } from './cell-file.ts'
import { livingHolder } from './claim.ts'
import type { Cell, StudyPlan } from './plan.ts'
import { claimPath, isFinished, workFolder } from './run-study.ts'

/** Training steps of cells: those done, cells under way included, and all there are. */
export function trainingSteps(
  cells: readonly Cell[],
  folder: string,
): { readonly done: number; readonly total: number } {
  return cells.reduce(
    ({ done, total }, cell) => ({ done: done + stepsDone(cell, folder), total: total + stepsOf(cell.work) }),
    { done: 0, total: 0 },
  )
}

export interface StudyProgress {
  readonly rows: readonly ProgressRow[]
  readonly done: number
  /** Cells that a living run holds. */
  readonly underWay: number
  /** Hours of one core each that networks have trained so far. */
  readonly trainingHours: number
  /** Hours until the end at the present pace; undefined where nothing is under way or has been timed yet. */
  readonly hoursLeft?: number
}

interface ProgressRow {
  readonly organ: string
  readonly sigmaMm: string
  readonly loss: string
  done: number
  total: number
  underWay: number
}

/** How much is done, by organ, strength and loss. */
export async function progressOf(plan: StudyPlan, folder: string): Promise<StudyProgress> {
  const rows = new Map<string, ProgressRow>()
  let [seconds, steps, stepsLeft] = [0, 0, 0]
  for (const cell of plan.cells) {
    const about = { organ: cell.group, sigmaMm: sigmaText(cell.sigmaMm), loss: lossOf(cell) }
    const key = JSON.stringify(about)
    const row = rows.get(key) ?? { ...about, done: 0, total: 0, underWay: 0 }
    rows.set(key, row)
    row.total++
    const finished = isFinished(cell, folder)
    if (finished) row.done++
    else if ((await livingHolder(claimPath(cell, folder))) !== undefined) row.underWay++
    const epochs = finished ? linesOf(join(folder, cell.path, 'timing.jsonl')) : epochsUnderWay(cell, folder)
    seconds += epochs.reduce((sum, epoch) => sum + (epoch.seconds ?? 0) + (epoch.validationSeconds ?? 0), 0)
    steps += stepsDone(cell, folder)
    stepsLeft += stepsOf(cell.work) - stepsDone(cell, folder)
  }
  const sum = (key: 'done' | 'underWay') => [...rows.values()].reduce((n, row) => n + row[key], 0)
  const underWay = sum('underWay')
  const timed = underWay > 0 && steps > 0
  return {
    rows: [...rows.values()],
    done: sum('done'),
    underWay,
    trainingHours: seconds / 3600,
    ...(timed && { hoursLeft: ((seconds / steps) * stepsLeft) / underWay / 3600 }),
  }
}

function stepsOf(work: Cell['work']): number {
  return work.kind === 'training' ? work.config.steps : 0
}

function stepsDone(cell: Cell, folder: string): number {
  return isFinished(cell, folder) ? stepsOf(cell.work) : (epochsUnderWay(cell, folder).at(-1)?.step ?? 0)
}

function epochsUnderWay(cell: Cell, folder: string): Partial<EpochLog>[] {
  return linesOf(join(workFolder(cell, folder), 'log.jsonl'))
}

function linesOf(path: string): Partial<EpochLog>[] {
  const text = String(readOwnFileSync(path) ?? '')
  try {
    return parseLog<Partial<EpochLog>>(text)
  } catch {
    return []
  }
}
