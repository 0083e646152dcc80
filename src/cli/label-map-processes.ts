import { type CaseWork, overCases } from '../datasets/over-cases.ts'
import { casesAtATime } from '../formats/memory.ts'
import { openVolume } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { voxelCount } from '../volume/grid.ts'
import type { LabelInput, LabelMapsWork, LabelOutcome } from './over-label-maps.ts'
import { warn } from './print.ts'
import { type Progress, startProgress } from './progress.ts'

/** What came of a label map: plain data, which processes can hand over. */
export interface Made<R> {
  readonly made: R
  /** What a user should know, a sentence each. */
  readonly warnings: readonly string[]
}

/** What a command makes of a label map, in whatever process. */
export interface LabelMapWork<J, R> extends CaseWork<J, Made<R>> {
  /** As `run`, watched. Throws InputError where the label map is at fault. */
  readonly make: (job: J, onProgress?: (done: number, all: number) => void) => Promise<Made<R>>
}

export interface LabelMapProcesses<J, R> {
  /** What the progress line is called. */
  readonly title: string
  /** They change nothing in the results. */
  readonly threads: number
  readonly work: LabelMapWork<J, R>
  readonly job: (one: LabelInput) => J
  readonly outcome: (made: R) => LabelOutcome
}

/** The label map, its marginals and what noise moves them into: bytes a voxel that a case may need at a time. */
const bytesPerVoxel = 48

/**
 * Works on label maps in as many processes as were asked for and memory holds. A warning that many share is told once.
 */
export function inProcesses<J, R>({ title, threads, work, job, outcome }: LabelMapProcesses<J, R>): LabelMapsWork {
  return async (inputs) => {
    const results = inputs.length > 1 ? await many(inputs) : [await single(inputs[0])]
    const warnings = results.flatMap((result) => (result instanceof InputError ? [] : result.warnings))
    for (const warning of new Set(warnings)) warn(warning)
    return results.map((result) => (result instanceof InputError ? result : outcome(result.made)))
  }

  async function many(inputs: readonly LabelInput[]): Promise<(Made<R> | InputError)[]> {
    const progress = startProgress(title, inputs.length)
    const lanes = threads > 1 ? await lanesFor(inputs, threads) : 1
    const jobs = inputs.map((one) => async () => job(one))
    return overCases(jobs, work, { threads: lanes, onCase: progress.update }).finally(progress.end)
  }

  /** Of a single one, its own steps are watched. */
  async function single(input: LabelInput): Promise<Made<R> | InputError> {
    let progress: Progress | undefined
    try {
      return await work.make(job(input), (done, all) => {
        progress ??= startProgress(title, all)
        progress.update(done)
      })
    } catch (error) {
      if (error instanceof InputError) return error
      throw error
    } finally {
      progress?.end()
    }
  }
}

/** By the first file that can be opened. */
async function lanesFor(inputs: readonly LabelInput[], threads: number): Promise<number> {
  for (const { input } of inputs) {
    try {
      return casesAtATime(threads, bytesPerVoxel * voxelCount((await openVolume(input)).grid))
    } catch (error) {
      if (!(error instanceof InputError)) throw error
    }
  }
  return threads
}
