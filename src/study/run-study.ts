import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { outputFault } from '../formats/file-faults.ts'
import { OutputError } from '../volume/errors.ts'
import { claim, livingHolder } from './claim.ts'
import type { Cell } from './plan.ts'
import { versionsFile } from './versions.ts'

/** Does the work of a cell in the given folder; `atOnce` cells, this one among them, are at work for a while. */
export type RunCell = (cell: Cell, folder: string, signal: AbortSignal, atOnce: number) => Promise<void>

export interface Shard {
  readonly index: number
  readonly count: number
}

export interface RunOptions {
  /** Cells at once. */
  readonly jobs: number
  readonly signal?: AbortSignal
  readonly onCell?: (cell: Cell) => void
}

/** What a cell's folder may hold; anything else is left from a run that was killed. */
const resultNames: ReadonlySet<string> = new Set([
  'model.onnx',
  'log.jsonl',
  'timing.jsonl',
  versionsFile,
  'predictions',
  'scores.csv',
  'calibration.csv',
])

/**
 * Runs the cells that are not finished yet, several at once. A cell is worked on in a hidden folder beside its place
 * and renamed into place when it is whole: a run that is killed loses at most the work since its cells' last
 * checkpoints. Runs that share the folder, on one machine or on several, divide the cells among them and never wait
 * for each other.
 *
 * @returns cells that another run is working on
 */
export async function runCells(
  cells: readonly Cell[],
  folder: string,
  runCell: RunCell,
  { jobs, signal, onCell }: RunOptions,
): Promise<readonly Cell[]> {
  const busy: Cell[] = []
  // One failure stops the other lanes, so that the error is reported at once.
  const stop = new AbortController()
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const open = cells.filter((cell) => !isFinished(cell, folder))
  const lanes = Math.max(1, Math.min(jobs, open.length))
  let [next, atWork] = [0, 0]
  const lane = async () => {
    while (next < open.length) {
      stopped.throwIfAborted()
      const atOnce = Math.min(lanes, atWork + open.length - next)
      const cell = open[next++]
      atWork++
      const outcome = await finish(cell, folder, (...of) => runCell(...of, atOnce), stopped)
      atWork--
      if (outcome === 'busy') busy.push(cell)
      if (outcome === 'done') onCell?.(cell)
    }
  }
  const guarded = async () => {
    try {
      await lane()
    } catch (error) {
      stop.abort(error)
      throw error
    }
  }
  const outcomes = await Promise.allSettled(Array.from({ length: lanes }, guarded))
  // Throw the first cause, not the errors of the lanes that it stopped.
  signal?.throwIfAborted()
  if (stop.signal.aborted) throw stop.signal.reason
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  return busy
}

/** Every `count`-th cell, from the `index`-th (1 … count) on: one machine's part. */
export function shardOf(cells: readonly Cell[], shard: Shard = { index: 1, count: 1 }): readonly Cell[] {
  return cells.filter((_, i) => i % shard.count === shard.index - 1)
}

/** Whether the cell's folder is in place. */
export function isFinished({ path }: Cell, folder: string): boolean {
  return existsSync(join(folder, path))
}

/** Where a cell is worked on: beside its place, hidden. */
export function workFolder({ path }: Cell, folder: string): string {
  return join(folder, dirname(path), `.${basename(path)}.work`)
}

/** The file by which a run says that it is working on the cell. */
export function claimPath(cell: Cell, folder: string): string {
  return `${workFolder(cell, folder).slice(0, -'.work'.length)}.claim`
}

/** Who is working on cells that are not finished: `node7, process 1234`, each once. */
export async function holdersOf(cells: readonly Cell[], folder: string): Promise<string[]> {
  const names = new Set<string>()
  for (const cell of cells) {
    if (isFinished(cell, folder)) continue
    const holder = await livingHolder(claimPath(cell, folder))
    if (holder !== undefined) names.add(holder.host === '' ? 'a run' : `${holder.host}, process ${holder.pid}`)
  }
  return [...names]
}

async function finish(
  cell: Cell,
  folder: string,
  runCell: (cell: Cell, folder: string, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<'done' | 'busy' | 'found'> {
  if (isFinished(cell, folder)) return 'found'
  const work = workFolder(cell, folder)
  const held = await claim(claimPath(cell, folder))
  if (held === undefined) return 'busy'
  try {
    if (isFinished(cell, folder)) return 'found'
    await mkdir(work, { recursive: true })
    await runCell(cell, work, AbortSignal.any([signal, held.lost]))
    for (const name of await readdir(work)) {
      if (!resultNames.has(name)) await rm(join(work, name), { recursive: true, force: true })
    }
    held.lost.throwIfAborted()
    await renameOnce(work, join(folder, cell.path))
    return 'done'
  } catch (error) {
    // Another run has taken the cell over, and will finish or has finished it with the same bytes: no failure.
    if (held.lost.aborted) return 'busy'
    if (!signal.aborted && isFinished(cell, folder)) return 'found'
    const fault = outputFault(error, work)
    throw fault instanceof OutputError ? fault : error
  } finally {
    await held.release()
  }
}

/** Where two runs finish one cell after all, the first folder stays: both hold the same. */
async function renameOnce(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
    await rm(from, { recursive: true, force: true })
  }
}
