import Tinypool from 'tinypool'
import { type LabelOverlap, labelOverlaps } from '../metrics/label-overlap.ts'
import type { NoiseModel } from '../noise/model.ts'
import { createSampler, type Sampler } from '../noise/sampler.ts'
import type { Grid } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'

/** What every sample shares. `values` lies in shared memory where threads are used. */
export interface SampleJob {
  readonly values: LabelArray
  readonly labels: readonly number[]
  readonly grid: Grid
  readonly model: NoiseModel
  readonly seed: number
}

export interface SampleTask {
  readonly index: number
  /** Receives the noisy labels. */
  readonly out: LabelArray
}

/** Draws one sample into `task.out` and counts its labels against the reference (`a` is the sample, `b` the reference). */
export type DrawSample = (task: SampleTask) => Map<number, LabelOverlap>

/** Prepares for drawing samples of one job. */
export function sampleDrawer(job: SampleJob): DrawSample {
  const sampler: Sampler = createSampler(job.values, job.grid, job.model)
  return ({ index, out }) => {
    sampler.sample(job.seed, index, out)
    return labelOverlaps(out, job.values, job.labels)
  }
}

let draw: DrawSample | undefined

/** A worker thread's task; the job comes with the thread. */
export function run(task: SampleTask): Map<number, LabelOverlap> {
  draw ??= sampleDrawer(Tinypool.workerData as SampleJob)
  return draw(task)
}
