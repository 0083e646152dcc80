import { overCases } from '../datasets/over-cases.ts'
import type { SoftDiceOptimum } from '../decision/soft-dice.ts'
import { casesAtATime } from '../formats/memory.ts'
import { InputError, RunError } from '../volume/errors.ts'
import { voxelCount } from '../volume/grid.ts'
import { narrowed } from './narrow.ts'
import { type OpenedCase, openCase } from './open-case.ts'
import { poolCases } from './pool.ts'
import {
  type CutCase,
  type CutOutcome,
  type ThresholdCase,
  type ThresholdJob,
  type ThresholdSettings,
  thresholdWork,
} from './threshold-job.ts'
import { rulesFor, type Tuned } from './tune/tuned.ts'

export type { ThresholdCase, ThresholdSettings } from './threshold-job.ts'

/** What happens beside the masks. */
export interface ThresholdWatch {
  /** They change nothing in the result. Default 1. */
  readonly threads?: number | undefined
  /** Whether masks are looked at more closely, and compared with references. */
  readonly review?: boolean | undefined
  /** After each case, and for pooled thresholds after each case of each pass. */
  readonly onCase?: (() => void) | undefined
}

export interface ThresholdRun {
  /** Of the cases that were done, in the order given. */
  readonly cases: readonly (CutCase & { readonly job: ThresholdCase })[]
  /** For pooled thresholds the optimum of each class; undefined for the background. */
  readonly pooled: readonly (SoftDiceOptimum | undefined)[] | undefined
  readonly failures: readonly { readonly input: string; readonly error: Error }[]
}

/**
 * Cuts masks from the maps of all cases and writes them: what `halfdice threshold` does. A case that cannot be done
 * does not cost the others. Where nothing in a case decides whether a class is there, its mask waits until the other
 * cases are known; so the result does not depend on their order, and files are read twice only then.
 *
 * @throws the error of the only case, or of any case where thresholds are pooled
 */
export async function thresholdCases(
  cases: readonly ThresholdCase[],
  { scope, metric, at, presence, tuned }: ThresholdSettings,
  { threads = 1, review = false, onCase }: ThresholdWatch = {},
): Promise<ThresholdRun> {
  // Before any mask is written: other classes would be the fault of every case.
  if (cases.length > 1) await checkClasses(cases, tuned)
  const done = new Map<number, CutCase>()
  const failures = new Map<number, InputError | RunError>()
  const sizes = new Map<string, number>()
  const lanes = cases.length > 1 && threads > 1 ? await lanesFor(cases, threads) : 1
  const pooled = scope === 'dataset' ? await poolCases(cases, { threads: lanes, onCase }) : undefined
  const cuts = pooled?.map((optimum) => optimum?.threshold)
  const attempt = async (which: readonly number[], known: ReadonlyMap<string, number> | undefined) => {
    const jobs = which.map((i) => async (): Promise<ThresholdJob> => {
      const settings = { metric, at, presence, tuned }
      return { ...cases[i], settings, pooled: cuts, sizes: known, review }
    })
    // A case that waited is not counted twice.
    const counted = which.length === cases.length ? onCase : undefined
    const outcomes = await overCases(jobs, thresholdWork, { threads: lanes, onCase: counted })
    for (const [n, outcome] of outcomes.entries()) {
      const error = errorOf(outcome, cases[which[n]])
      if (error === undefined) continue
      if (cases.length === 1 || pooled) throw error
      failures.set(which[n], error)
    }
    return outcomes.map((outcome) => (outcome instanceof InputError ? undefined : outcome))
  }
  const everyone = [...cases.keys()]
  // A single case waits for nobody.
  const first = await attempt(everyone, cases.length === 1 ? sizes : undefined)
  for (const [name, mm3] of first.flatMap((outcome) => outcome?.sizes ?? [])) {
    sizes.set(name, Math.min(mm3, sizes.get(name) ?? mm3))
  }
  for (const [i, outcome] of first.entries()) if (outcome?.done) done.set(i, outcome.done)
  const waiting = everyone.filter((i) => !done.has(i) && !failures.has(i))
  if (waiting.length > 0) {
    const again = await attempt(waiting, sizes)
    for (const [n, outcome] of again.entries()) if (outcome?.done) done.set(waiting[n], outcome.done)
  }
  return {
    cases: everyone.flatMap((i) => {
      const cut = done.get(i)
      return cut ? [{ ...cut, job: cases[i] }] : []
    }),
    pooled,
    failures: everyone.flatMap((i) => {
      const error = failures.get(i)
      return error ? [{ input: cases[i].found.input, error }] : []
    }),
  }
}

function errorOf(outcome: CutOutcome | InputError, { found }: ThresholdCase): InputError | RunError | undefined {
  if (outcome instanceof InputError) return outcome
  const { outOfMemory: message } = outcome
  return message === undefined ? undefined : new RunError(found.input, message.slice(found.input.length + 2))
}

/** Maps, their decoder's own and what is done to them: bytes a voxel that a case may need at a time. */
const bytesPerVoxel = 24

/** As many cases at a time as memory holds, by the first that can be opened. */
async function lanesFor(cases: readonly ThresholdCase[], threads: number): Promise<number> {
  const opened = await firstOf(cases)
  return opened ? casesAtATime(threads, bytesPerVoxel * voxelCount(opened.source.grid)) : threads
}

/** Throws where the first case that can be opened has other classes than those asked for, or those that were tuned. */
async function checkClasses(cases: readonly ThresholdCase[], tuned: Tuned | undefined): Promise<void> {
  const { labels } = cases[0].opening
  if (labels === undefined && tuned === undefined) return
  const first = await firstOf(cases)
  const opened = first && labels ? narrowed(first, labels) : first
  if (opened && tuned) rulesFor(tuned, opened.scheme, opened.source.input)
}

/** The first case that can be opened, with all its classes. */
async function firstOf(cases: readonly ThresholdCase[]): Promise<OpenedCase | undefined> {
  for (const { found, opening } of cases) {
    try {
      return await openCase(found, { ...opening, labels: undefined })
    } catch (error) {
      if (!(error instanceof InputError)) throw error
    }
  }
  return undefined
}
