import { outcomeOf } from '../datasets/over-cases.ts'
import { CoarseCounts, FineCounts, type Occurred } from '../decision/dice-counts.ts'
import type { ClassScheme } from './classes.ts'
import type { FoundCase } from './find-cases.ts'
import { type OpenOptions, openCase } from './open-case.ts'
import { readMaps } from './read-maps.ts'

/** A case to count for pooled thresholds: plain data, which a process can be handed. */
export interface PoolJob {
  readonly found: FoundCase
  readonly opening: OpenOptions
  /** In the second pass, the bin that is looked at in each map. */
  readonly bins?: readonly (number | undefined)[] | undefined
}

/** What a case adds to the pool, one entry a map: nothing for the background. */
export interface PoolCounts {
  readonly scheme: ClassScheme
  readonly channels: number
  /** Of the first pass. */
  readonly coarse: readonly (Pick<CoarseCounts, 'counts' | 'sums' | 'voxels'> | undefined)[]
  /** Of the second. */
  readonly fine: readonly (Occurred | undefined)[]
}

/** What a process runs, and the module where it finds it. */
export const poolWork = {
  module: new URL('./pool-job.js', import.meta.url),
  run: (job: PoolJob) => outcomeOf(() => count(job)),
}
export const { run } = poolWork

async function count({ found, opening, bins }: PoolJob): Promise<PoolCounts> {
  const { source, scheme } = await openCase(found, opening)
  const coarse: (Pick<CoarseCounts, 'counts' | 'sums' | 'voxels'> | undefined)[] = []
  const fine: (Occurred | undefined)[] = []
  let channel = 0
  for await (const map of readMaps(source, scheme)) {
    const own = scheme.maps[channel]
    const bin = bins?.[channel]
    if (bins === undefined && own) {
      const counter = new CoarseCounts()
      counter.add(map)
      const { counts, sums, voxels } = counter
      coarse[channel] = { counts, sums, voxels }
    } else if (bin !== undefined) {
      const counter = new FineCounts(bin)
      counter.add(map)
      fine[channel] = counter.occurred()
    }
    channel++
  }
  return { scheme, channels: source.channels, coarse, fine }
}
