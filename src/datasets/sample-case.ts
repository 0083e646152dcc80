import Tinypool from 'tinypool'
import type { Overlap } from '../metrics/overlap.ts'
import type { NoiseModel } from '../noise/model.ts'
import type { Grid } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { streamSeed } from '../volume/random.ts'
import { type SampleJob, sampleDrawer } from './sample-worker.ts'

/** A label map and the noise to draw for it. */
export interface SampleCase {
  /** The case's name: with the seed it gives the field. */
  readonly name: string
  readonly values: LabelArray
  readonly grid: Grid
  /** The labels to count. */
  readonly labels: readonly number[]
  readonly model: NoiseModel
}

export interface SampleCaseOptions {
  readonly seed: number
  /** Numbers of the samples to draw. */
  readonly indices: readonly number[]
  /** Threads to draw on; they change nothing in the samples. Default 1. */
  readonly threads?: number
}

/** A noisy label map and how each label overlaps the reference (A is the sample, B the reference). */
export interface CaseSample {
  readonly index: number
  /** Memory that the next sample overwrites once this one has been consumed. */
  readonly values: LabelArray
  readonly overlaps: ReadonlyMap<number, Overlap>
}

/**
 * Draws noisy versions of one case and hands each to `consume`, which may write it; a thread waits until its sample is
 * consumed. The field depends on the seed, the case's name and the sample's number only (docs/reproducibility.md).
 */
export async function sampleCase(
  { name, ...source }: SampleCase,
  { seed, indices, threads = 1 }: SampleCaseOptions,
  consume: (sample: CaseSample) => Promise<void>,
): Promise<void> {
  const job: SampleJob = { ...source, seed: streamSeed(seed, name) }
  const lanes = Math.min(threads, indices.length)
  if (lanes <= 1) {
    const draw = sampleDrawer(job)
    const values = job.values.slice()
    for (const index of indices) await consume({ index, values, overlaps: draw({ index, out: values }) })
    return
  }
  const pool = new Tinypool({
    filename: new URL('./sample-worker.js', import.meta.url).href,
    minThreads: lanes,
    maxThreads: lanes,
    workerData: { ...job, values: shared(job.values) },
  })
  let next = 0
  let failed = false
  const lane = async () => {
    const values = shared(job.values)
    try {
      while (next < indices.length && !failed) {
        const index = indices[next++]
        await consume({ index, values, overlaps: await pool.run({ index, out: values }, { name: 'run' }) })
      }
    } catch (error) {
      failed = true
      throw error
    }
  }
  try {
    await Promise.all(Array.from({ length: lanes }, lane))
  } finally {
    await pool.destroy()
  }
}

/** A copy in memory that threads share. */
function shared<A extends LabelArray>(values: A): A {
  const copy = new (values.constructor as new (buffer: SharedArrayBuffer) => A)(
    new SharedArrayBuffer(values.byteLength),
  )
  copy.set(values)
  return copy
}
