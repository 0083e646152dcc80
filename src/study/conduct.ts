import { availableParallelism } from 'node:os'
import { writeExamples } from './examples.ts'
import { finishAlone } from './finish.ts'
import { foldingOf, foldingText, muchFolding } from './folding.ts'
import { cellSource, openStudy, type StudySource } from './open-study.ts'
import type { Cell, StudyPlan } from './plan.ts'
import { studyPool, suitableJobs } from './pool.ts'
import { gatherResults, type StudyResults } from './results.ts'
import { holdersOf, isFinished, runCells, type Shard, shardOf } from './run-study.ts'
import type { StudyFile } from './study-file.ts'
import { runtimeVersions } from './versions.ts'

export interface StudyOptions {
  /** Networks at once; default one a core, as memory allows. */
  readonly jobs?: number
  /** The part of the study that this run works on; default all of it. */
  readonly shard?: Shard
  /** Leave out cases that cannot be read, instead of stopping at the first. */
  readonly skipBad?: boolean
}

/** What a caller hears of a study while it runs. */
export interface StudyEvents {
  /** Something that the results suffer from, in one sentence. */
  readonly onWarning?: (text: string) => void
  /** How many of the cases have been read. */
  readonly onReading?: (done: number, total: number) => void
  /** Called before the first network trains: the plan, and the part of it that this run works on. */
  readonly onTraining?: (plan: StudyPlan, own: readonly Cell[]) => void
  /** Called whenever this run has finished a cell. */
  readonly onCell?: (cell: Cell) => void
  /** Writes what is made of the results; runs of one study that end together call it one at a time. */
  readonly onResults?: (results: StudyResults) => Promise<void>
}

/** A study as far as it is: `results` is missing while `left` cells are not finished. */
export interface Conducted {
  readonly plan: StudyPlan
  readonly left: number
  /** The runs that hold some of these cells (`node7, process 1234`); cells of other shards may be held by nobody. */
  readonly holders: readonly string[]
  readonly results?: StudyResults
}

/**
 * Runs a study in its folder, or goes on with it, to its tables.
 *
 * @param halfdice the program's version, recorded with the results
 * @throws InputError for a configuration or data that do not suit; the reason of `signal` where that stopped the study
 */
export async function conductStudy(
  source: StudySource,
  folder: string,
  halfdice: string,
  options: StudyOptions & StudyEvents & { readonly signal?: AbortSignal } = {},
): Promise<Conducted> {
  const { skipBad = false, signal, onReading, onWarning, onResults } = options
  const versions = runtimeVersions(halfdice)
  let total = 1
  const { plan, study } = await openStudy(source, folder, versions, {
    skipBad,
    ...(signal && { signal }),
    onCases: (cases) => {
      total = cases
    },
    onCase: (done) => onReading?.(done, total),
  })
  warnOfFolds(study, onWarning)
  const open = plan.cells.filter((cell) => !isFinished(cell, folder)).length
  if (open > 0) {
    const jobs = Math.min(options.jobs ?? suitableJobs(study, plan, onWarning), open)
    const own = shardOf(plan.cells, options.shard)
    // Who says how many networks at once says how much of the machine may be used.
    const cores = options.jobs === undefined ? availableParallelism() : options.jobs * study.config.threads
    const pool = studyPool({ study, base: source.base, folder, versions }, cores)
    options.onTraining?.(plan, own)
    try {
      const { onCell } = options
      await runCells(own, folder, pool.runCell, { jobs, ...(signal && { signal }), ...(onCell && { onCell }) })
    } finally {
      pool.close()
    }
  }
  const left = plan.cells.filter((cell) => !isFinished(cell, folder)).length
  if (left > 0) return { plan, left, holders: await holdersOf(plan.cells, folder) }
  const results = await finishAlone(plan, folder, async () => {
    await writeExamples(plan, folder, await cellSource(source, folder, versions))
    const results = await gatherResults(folder, plan, study)
    await onResults?.(results)
    return results
  })
  return { plan, left, holders: [], results }
}

function warnOfFolds({ config }: StudyFile, onWarning: StudyEvents['onWarning']): void {
  const [worst] = [...config.noise].sort((a, b) => foldingOf(b) - foldingOf(a))
  if (foldingOf(worst) > muchFolding) {
    const remedy = 'a larger noise.lengthOverSigma avoids it'
    onWarning?.(`up to ${foldingText(worst)} of space is folded by this noise; ${remedy}`)
  }
}
