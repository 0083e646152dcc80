import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { percent, warn } from '../cli/print.ts'
import { startProgress } from '../cli/progress.ts'
import { version } from '../cli/version.ts'
import { writeAtomically } from '../formats/atomic-write.ts'
import { foldProbability } from '../noise/fold.ts'
import { studyFigures, studyReport } from '../report/study/report.ts'
import { createGrid } from '../volume/grid.ts'
import { assembleTables } from './assemble.ts'
import { readExamples, writeExamples } from './examples.ts'
import { finishAlone } from './finish.ts'
import { cellSource, openStudy, type StudySource } from './open-study.ts'
import type { StudyPlan } from './plan.ts'
import { type StudyPool, studyPool, suitableJobs } from './pool.ts'
import { studyProgress } from './progress.ts'
import { isFinished, runCells, type Shard, shardOf } from './run-study.ts'
import { type StudyFile, writeStudyFile } from './study-file.ts'
import { readCurves } from './training-curves.ts'
import { finishedVersions, runtimeVersions } from './versions.ts'

export interface StudyOptions {
  /** Networks at once; default one a core, as memory allows. */
  readonly jobs?: number
  readonly shard?: Shard
  readonly skipBad?: boolean
  /** No line for each finished cell where standard error is no terminal. */
  readonly quiet?: boolean
}

/** A study as far as it is: `results` is missing while cells are other runs' work. */
export interface Conducted {
  readonly plan: StudyPlan
  readonly left: number
  readonly results?: StudyResults
}

export type StudyResults = Parameters<typeof studyReport>[0]

/** Runs a study in its folder, or goes on with it, up to the report; undefined where the user stopped it. */
export async function conductStudy(
  source: StudySource,
  folder: string,
  options: StudyOptions,
): Promise<Conducted | undefined> {
  const controller = new AbortController()
  const interrupt = () => controller.abort(new Error('stopped'))
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  try {
    let reading = startProgress('reading', 1)
    const versions = runtimeVersions(version())
    const { plan, study } = await openStudy(source, folder, versions, {
      skipBad: options.skipBad === true,
      signal: controller.signal,
      onCases: (total) => (reading = startProgress('reading', total)),
      onCase: (done) => reading.update(done),
    })
    reading.end()
    warnOfFolds(study)
    const pool = studyPool({ study, base: source.base, folder, versions })
    const left = await work(folder, plan, study, pool, options, controller.signal)
    if (left > 0) return { plan, left }
    const results = await finishAlone(plan, folder, async () => {
      await writeExamples(plan, folder, await cellSource(source, folder, versions))
      return writeReport(folder, plan, study)
    })
    return { plan, left, results }
  } catch (error) {
    if (!controller.signal.aborted) throw error
    process.stderr.write('halfdice: study: stopped; run the same command again to go on\n')
    process.exitCode = 130
    return undefined
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

/** Tables and report of a finished study, from what its folder holds. */
export async function writeReport(folder: string, plan: StudyPlan, opened: StudyFile): Promise<StudyResults> {
  const study = { ...opened, versions: (await finishedVersions(plan, folder)) ?? opened.versions }
  // Another study may have used the folder meanwhile; what it holds now and what the report says are one.
  await writeStudyFile(folder, study)
  const tables = await assembleTables(study, plan, folder)
  const [examples, curves] = [await readExamples(plan, folder), await readCurves(plan, folder)]
  const results = { study, plan, tables, examples, curves }
  await mkdir(join(folder, 'figures'), { recursive: true })
  for (const [name, svg] of studyFigures(results)) {
    await writeAtomically(join(folder, 'figures', `${name}.svg`), [Buffer.from(`${svg}\n`)])
  }
  await writeAtomically(join(folder, 'report.html'), [Buffer.from(studyReport(results))])
  return results
}

function warnOfFolds({ config }: StudyFile): void {
  // Folding depends on the axes that move, which any grid of several voxels an axis lets.
  const worst = Math.max(...config.noise.map((noise) => foldProbability(noise, createGrid([2, 2, 2]))))
  if (worst > 0.01)
    warn(`up to ${percent(worst)} of space is folded by this noise; a larger noise.lengthOverSigma avoids it`)
}

/** Runs what is to be run; returns how many cells are not finished then (other shards', or under way elsewhere). */
async function work(
  folder: string,
  plan: StudyPlan,
  study: StudyFile,
  pool: StudyPool,
  options: StudyOptions,
  signal: AbortSignal,
) {
  const open = plan.cells.filter((cell) => !isFinished(cell, folder)).length
  if (open === 0) return 0
  const own = shardOf(plan.cells, options.shard)
  const jobs = Math.min(options.jobs ?? suitableJobs(study, plan), open)
  const progress = studyProgress(plan, own, folder, options.quiet === true)
  try {
    await runCells(own, folder, pool.runCell, { jobs, signal, onCell: progress.onCell })
  } finally {
    progress.end()
    pool.close()
  }
  return plan.cells.filter((cell) => !isFinished(cell, folder)).length
}
