import { eachCase } from '../datasets/over-cases.ts'
import { CoarseCounts, coarseOptimum, FineCounts } from '../decision/dice-counts.ts'
import type { SoftDiceOptimum } from '../decision/soft-dice.ts'
import { InputError } from '../volume/errors.ts'
import type { FoundCase } from './find-cases.ts'
import type { OpenOptions } from './open-case.ts'
import { type PoolCounts, type PoolJob, poolWork } from './pool-job.ts'

/** A case that has not been opened yet. */
export interface PooledCase {
  readonly found: FoundCase
  readonly opening: OpenOptions
}

export interface PoolOptions {
  /** They change nothing in the result. Default 1. */
  readonly threads?: number | undefined
  /** After each case of each pass. */
  readonly onCase?: (() => void) | undefined
}

/**
 * The soft-Dice optimum of each class over all cases pooled (docs/theory.md, "Scope: a case, or a data set"), in two
 * passes over the files; undefined for the background. Of a case no more is kept than counts, and sums of counts are
 * exact: neither threads nor the order of cases change a bit.
 *
 * @throws InputError where a case has another number of maps, or a file is damaged
 */
export async function poolCases(
  cases: readonly PooledCase[],
  { threads = 1, onCase }: PoolOptions = {},
): Promise<(SoftDiceOptimum | undefined)[]> {
  const pass = async (
    bins: PoolJob['bins'],
    kinds: readonly Kind[],
    take: (counts: PoolCounts, at: number) => void,
  ) => {
    const jobs = cases.map(({ found, opening }, i) => async (): Promise<PoolJob> => {
      return { found, opening: { ...opening, decode: kinds[i] ?? opening.decode }, bins }
    })
    const faults: InputError[] = []
    await eachCase(jobs, poolWork, { threads, onCase }, (result, at) => {
      if (result instanceof InputError) faults[at] = result
      else take(result, at)
    })
    // The first in the order of the cases, whichever was found first.
    for (const fault of faults) if (fault) throw fault
  }
  const kinds: Kind[] = []
  const channels: number[] = []
  const coarse: (CoarseCounts | undefined)[] = []
  await pass(undefined, [], ({ scheme, channels: held, coarse: own }, at) => {
    channels[at] = held
    // Images whose kind nobody named have been read for it once.
    kinds[at] = scheme.kind
    for (const [channel, counts] of own.entries()) {
      if (counts === undefined) continue
      coarse[channel] ??= new CoarseCounts()
      coarse[channel].merge(counts)
    }
  })
  const other = channels.findIndex((held) => held !== channels[0])
  if (other > 0) {
    const fault = `has ${channels[other]} maps, ${cases[0].found.input} has ${channels[0]}`
    throw new InputError(cases[other].found.input, `${fault}; pool cases of the same classes only`)
  }
  const fine = Array.from({ length: channels[0] ?? 0 }, (_, channel) => {
    const own = coarse[channel]
    const optimum = own && coarseOptimum(own)
    return optimum && { optimum, counts: new FineCounts(optimum.bin) }
  })
  await pass(
    fine.map((each) => each?.optimum.bin),
    kinds,
    ({ fine: own }) => {
      for (const [channel, counts] of own.entries()) if (counts) fine[channel]?.counts.merge(counts)
    },
  )
  return fine.map((each) => each?.counts.optimum(each.optimum))
}

type Kind = OpenOptions['decode']
