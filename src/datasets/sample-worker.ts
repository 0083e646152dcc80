import Tinypool from 'tinypool'
import { labelOverlaps } from '../metrics/label-overlap.ts'
import type { Overlap } from '../metrics/overlap.ts'
import type { NoiseModel } from '../noise/model.ts'
import { createSampler } from '../noise/sampler.ts'
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

/** Draws one sample into `task.out` and counts its labels against the reference (A is the sample, B the reference). */
export type DrawSample = (task: SampleTask) => Map<number, Overlap>

/** Prepares for drawing samples of one job. */
export function sampleDrawer({ values, labels, grid, model, seed }: SampleJob): DrawSample {
  const sampler = createSampler(values, grid, model)
  // Only slices that the noise can reach are counted for every sample.
  const plane = grid.shape[0] * grid.shape[1]
  const from = plane * (sampler.box?.start[2] ?? 0)
  const to = from + plane * (sampler.box?.shape[2] ?? 0)
  const before = labelOverlaps(values, values, labels, 0, from)
  const behind = labelOverlaps(values, values, labels, to)
  return ({ index, out }) => {
    sampler.sample(seed, index, out)
    const overlaps = labelOverlaps(out, values, labels, from, to)
    for (const [label, { voxelsA, voxelsB, voxelsBoth }] of overlaps) {
      const still = (before.get(label)?.voxelsBoth ?? 0) + (behind.get(label)?.voxelsBoth ?? 0)
      overlaps.set(label, { voxelsA: voxelsA + still, voxelsB: voxelsB + still, voxelsBoth: voxelsBoth + still })
    }
    return overlaps
  }
}

let draw: DrawSample | undefined

/** A worker thread's task; the job comes with the thread. */
export function run(task: SampleTask): Map<number, Overlap> {
  draw ??= sampleDrawer(Tinypool.workerData as SampleJob)
  return draw(task)
}
