import type Tinypool from 'tinypool'
import { InputError, OutputError } from '../volume/errors.ts'

/** What came of a case, in a form that crosses threads: classes of errors do not. */
export type Outcome<R> =
  | { readonly value: R }
  | { readonly fault: { readonly name: string; readonly subject: string; readonly fault: string } }

/** The work on one case, which a module offers to threads as `run`. */
export interface CaseWork<J, R> {
  /** The built module's address. */
  readonly module: URL
  readonly run: (job: J) => Promise<Outcome<R>>
}

export interface OverCasesOptions {
  /** They change nothing in the results. */
  readonly threads: number
  readonly onCase?: ((done: number) => void) | undefined
}

/**
 * Works on many cases, on several threads where that is asked for. A case that is at fault does not stop the others:
 * its result is its error. Results come in the order of the jobs.
 *
 * @param jobs makers of plain data, called one by one; a case whose maker throws InputError is at fault too
 * @throws what is no InputError: a full disk, a defect
 */
export async function overCases<J, R>(
  jobs: readonly (() => Promise<J>)[],
  { module, run }: CaseWork<J, R>,
  { threads, onCase }: OverCasesOptions,
): Promise<(R | InputError)[]> {
  const results: (R | InputError)[] = []
  await eachCase(jobs, { module, run }, { threads, onCase }, (result, at) => {
    results[at] = result
  })
  return results
}

/**
 * As `overCases`, but hands each result over as soon as it is known, in whatever order, and keeps none.
 *
 * @throws what `take` throws, too
 */
export async function eachCase<J, R>(
  jobs: readonly (() => Promise<J>)[],
  { module, run }: CaseWork<J, R>,
  { threads, onCase }: OverCasesOptions,
  take: (result: R | InputError, at: number) => void,
): Promise<void> {
  const lanes = Math.min(threads, jobs.length)
  const pool = lanes > 1 ? await poolOf(module, lanes) : undefined
  let [next, done, stopped] = [0, 0, false]
  const lane = async () => {
    while (next < jobs.length && !stopped) {
      const at = next++
      try {
        take(
          await settled(async () => {
            const job = await jobs[at]()
            return pool ? (pool.run(job, { name: 'run' }) as Promise<Outcome<R>>) : run(job)
          }),
          at,
        )
      } catch (error) {
        stopped = true
        throw error
      }
      onCase?.(++done)
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.max(1, lanes) }, lane))
  } finally {
    await pool?.destroy()
  }
}

/**
 * Processes, not threads of this one: Node 20 aborts now and then where a thread ends while V8 still optimises its code
 * in the background, and all results are lost.
 */
async function poolOf(module: URL, lanes: number): Promise<Tinypool> {
  // Loaded where there are several cases: it takes a third of the time of a small one.
  const { default: Pool } = await import('tinypool')
  return new Pool({
    filename: module.href,
    runtime: 'child_process',
    // JSON, the other form, knows neither NaN nor maps.
    serialization: 'advanced',
    env: Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : []))),
    minThreads: lanes,
    maxThreads: lanes,
    concurrentTasksPerWorker: 1,
  })
}

/** Runs the work on a case so that its fault can cross threads. */
export async function outcomeOf<R>(work: () => Promise<R>): Promise<Outcome<R>> {
  try {
    return { value: await work() }
  } catch (error) {
    if (!(error instanceof InputError || error instanceof OutputError)) throw error
    return { fault: { name: error.name, subject: error.subject, fault: error.fault } }
  }
}

async function settled<R>(work: () => Promise<Outcome<R>>): Promise<R | InputError> {
  try {
    return unwrapped(await work())
  } catch (error) {
    if (error instanceof InputError) return error
    throw error
  }
}

function unwrapped<R>(outcome: Outcome<R>): R {
  if ('value' in outcome) return outcome.value
  const { name, subject, fault } = outcome.fault
  throw name === 'OutputError' ? new OutputError(subject, fault) : new InputError(subject, fault)
}
