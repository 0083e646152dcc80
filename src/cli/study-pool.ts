import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism, freemem, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { StudyPlan } from '../study/plan.ts'
import type { RunCell } from '../study/run-study.ts'
import type { StudyFile } from '../study/study-file.ts'
import { RunError } from '../volume/errors.ts'
import type { CellFailure, CellTask } from './study-worker.ts'

/** What a process with the runtime takes before it has read a case. */
const BASE_BYTES = 400e6

/** A case in memory: image (4), labels as read, clean and noisy (3), image and label bits on the network's grid (8). */
const BYTES_A_VOXEL = 15

/** Cells at once: one a core, as long as their cases fit into the memory that is free. */
export function suitableJobs({ dataset }: StudyFile, { cells }: StudyPlan): number {
  const voxels = new Map(dataset.cases.map(({ id, voxels }) => [id, voxels]))
  const largest = cells.reduce((most, { validation, work }) => {
    const all = work.kind === 'training' ? [...validation, ...work.training] : []
    return Math.max(
      most,
      all.reduce((sum, { id }) => sum + (voxels.get(id) ?? 0), 0),
    )
  }, 0)
  // What the system could free counts too, but not all of it: the file cache is what makes reading fast.
  const memory = Math.max(freemem(), 0.5 * totalmem())
  return Math.max(
    1,
    Math.min(availableParallelism(), Math.floor((0.8 * memory) / (BASE_BYTES + BYTES_A_VOXEL * largest))),
  )
}

/**
 * Processes that run cells, so that several networks train at once. A process is started for a cell when none is free, is
 * kept for the next one, and ends with this process, or with the cell's signal.
 */
export function studyPool(study: string): { readonly runCell: RunCell; close(): void } {
  const idle: ChildProcess[] = []
  const all = new Set<ChildProcess>()
  const take = () => {
    const free = idle.pop()
    if (free !== undefined) return free
    const child = fork(fileURLToPath(new URL('./study-worker.js', import.meta.url)), { stdio: 'inherit' })
    all.add(child)
    child.once('exit', () => all.delete(child))
    return child
  }
  return {
    async runCell({ path }, folder, signal) {
      signal.throwIfAborted()
      const child = take()
      const failure = await ask(child, { study, path, folder }, signal)
      idle.push(child)
      if (failure !== null) throw Object.assign(new Error(failure.message), failure)
    },
    close() {
      for (const child of all) child.kill('SIGKILL')
    },
  }
}

/** Sends a task and waits for its answer: what went wrong, or null. */
function ask(child: ChildProcess, task: CellTask, signal: AbortSignal): Promise<CellFailure | null> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      child.off('message', answered).off('exit', ended).off('error', failed)
      signal.removeEventListener('abort', stopped)
      end()
    }
    const answered = (answer: unknown) => settle(() => resolve(answer as CellFailure | null))
    const failed = (error: Error) => settle(() => reject(error))
    const ended = () =>
      failed(
        new RunError('study', 'a worker process was ended from outside (out of memory?); run again, with fewer --jobs'),
      )
    const stopped = () => {
      child.kill('SIGKILL')
      failed(signal.reason)
    }
    child.on('message', answered).on('exit', ended).on('error', failed)
    signal.addEventListener('abort', stopped)
    child.send(task)
  })
}
