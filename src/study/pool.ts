import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { mostKeptBytes } from '../training/dataset-thresholds.ts'
import { mostCurveCases } from '../training/train.ts'
import { RunError } from '../volume/errors.ts'
import type { StudyPlan } from './plan.ts'
import type { RunCell } from './run-study.ts'
import type { StudyFile } from './study-file.ts'
import type { CellFailure, CellTask, StopTask, StudyTask } from './worker.ts'

/** What a process with the runtime takes before it has read a case. */
const baseBytes = 400e6

/** What reading, moving, predicting and scoring one case takes: images, labels, maps, masks and sorted copies. */
const bytesPerVoxelAtWork = 40

/** The memory of a process that runs the dearest of a study's cells. */
export function networkBytes({ dataset }: Pick<StudyFile, 'dataset'>, { cells }: StudyPlan): number {
  const cases = new Map(dataset.cases.map((one) => [one.id, one]))
  return cells.reduce((bytes, { validation, work, organs }) => {
    if (work.kind !== 'training') return bytes
    const sizes = (planned: readonly { readonly id: string }[]) =>
      planned.map(({ id }) => cases.get(id)).filter((one) => one !== undefined)
    const [training, heldOut] = [sizes(work.training), sizes(validation)]
    const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)
    const prepared = sum(
      [...training, ...heldOut.slice(0, mostCurveCases)].map(
        ({ voxels, channels }) => voxels * (4 * channels + (organs.length <= 8 ? 1 : 4)),
      ),
    )
    const maps = sum(training.map(({ voxels }) => 4 * voxels * organs.length))
    const largest = [...training, ...heldOut].reduce(
      (most, { voxels, channels }) => Math.max(most, voxels * channels),
      0,
    )
    const atWork = bytesPerVoxelAtWork * largest
    return Math.max(bytes, baseBytes + prepared + Math.min(maps, mostKeptBytes) + atWork)
  }, baseBytes)
}

/** Cells at once: as many as have a core a thread, as long as their cases fit into the memory that is free. */
export function suitableJobs(study: StudyFile, plan: StudyPlan, onWarning?: (text: string) => void): number {
  const most = networkBytes(study, plan)
  // What this process may still take, where a container or a batch system sets limits too.
  const memory = process.availableMemory()
  if (most > memory) {
    const [needed, free] = [most, memory].map((bytes) => (bytes / 1e9).toFixed(1))
    const remedy = 'coarser data.spacing or fewer cases help'
    onWarning?.(`a network needs about ${needed} GB for its cases, of which ${free} are free; ${remedy}`)
  }
  return Math.max(
    1,
    Math.min(Math.floor(availableParallelism() / study.config.threads), Math.floor((0.8 * memory) / most)),
  )
}

export interface StudyPool {
  readonly runCell: RunCell
  close(): void
}

/**
 * Processes that run cells, so that several networks train at once. A process is started when none is free, is kept for
 * the next cell, and ends with this process or when its cell is stopped. The machine's `cores` are shared by the cells
 * that are at work: where those are fewer, a network's training may take more threads.
 */
export function studyPool(task: StudyTask, cores: number): StudyPool {
  const idle: ChildProcess[] = []
  const all = new Set<ChildProcess>()
  const take = () => {
    const free = idle.pop()
    if (free !== undefined) return free
    const child = fork(fileURLToPath(new URL('./worker.js', import.meta.url)), { stdio: 'inherit' })
    all.add(child)
    child.send(task)
    child.once('exit', () => all.delete(child))
    return child
  }
  return {
    async runCell({ path }, folder, signal, atOnce) {
      signal.throwIfAborted()
      const child = take()
      const failure = await ask(child, { path, folder, spareThreads: Math.floor(cores / atOnce) }, signal)
      idle.push(child)
      if (failure === null) return
      const error = Object.assign(new Error(failure.message), failure)
      // Input errors name their file; for all others, name the network.
      if (failure.name !== 'InputError' && failure.name !== 'OutputError') error.message = `${path}: ${failure.message}`
      throw error
    },
    close() {
      for (const child of all) child.kill('SIGKILL')
    },
  }
}

/** A step and a checkpoint take less; batch systems kill half a minute after they have asked to end. */
const longestStopMs = 20_000

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
      // What it answers no longer matters; that it has written its checkpoint does.
      child.off('message', answered).off('exit', ended)
      const done = () => {
        clearTimeout(timer)
        child.kill('SIGKILL')
        failed(signal.reason)
      }
      const timer = setTimeout(done, longestStopMs)
      child.once('message', done).once('exit', done)
      child.send({ stop: true } satisfies StopTask)
    }
    child.on('message', answered).on('exit', ended).on('error', failed)
    signal.addEventListener('abort', stopped)
    child.send(task)
  })
}
