import { type AnnotatorFit, type FitOptions, fitAnnotators } from '../annotators/fit.ts'
import type { CaseObservation } from '../annotators/observe.ts'
import { InputError } from '../volume/errors.ts'
import type { AnnotatorCases } from './annotator-cases.ts'
import { observeWork } from './observe-case.ts'
import { overCases } from './over-cases.ts'

/** One label of several annotators' cases: what was seen, and the fit, or why there is none. */
export interface LabelFit {
  readonly label: number
  readonly observations: readonly CaseObservation[]
  readonly fit?: AnnotatorFit
  readonly reason?: string
}

export interface CasesFit {
  readonly labels: readonly LabelFit[]
  readonly failed: readonly { readonly case: string; readonly error: InputError }[]
}

export interface FitCasesOptions extends FitOptions {
  /** The labels to fit; default all that any map holds, but 0. */
  readonly labels?: readonly number[] | undefined
  /** They change nothing in the result. Default 1. */
  readonly threads?: number | undefined
  readonly onCase?: ((done: number) => void) | undefined
  /** Called while labels are fitted: how many of about how many simulations are done. */
  readonly onFit?: ((done: number, of: number) => void) | undefined
}

/** A fit takes about so many simulations of its cases. */
const simulations = 14

/** Reads case after case, keeps of each what the fit needs, and fits label by label (`halfdice raters`). */
export async function fitCases({ cases }: AnnotatorCases, options: FitCasesOptions): Promise<CasesFit> {
  const seen = new Map<number, Map<string, CaseObservation>>((options.labels ?? []).map((label) => [label, new Map()]))
  const failed: { case: string; error: InputError }[] = []
  const { labels: wanted, threads = 1, onCase } = options
  const jobs = cases.map((one) => async () => ({ one, labels: wanted }))
  for (const [i, result] of (await overCases(jobs, observeWork, { threads, onCase })).entries()) {
    const { name } = cases[i]
    if (result instanceof InputError) {
      failed.push({ case: name, error: result })
      continue
    }
    for (const [label, observation] of result) {
      const own = seen.get(label) ?? new Map<string, CaseObservation>()
      seen.set(label, own)
      own.set(name, observation)
    }
  }
  const labels = [...seen]
    .sort(([a], [b]) => a - b)
    .map(([label, own], i): LabelFit => {
      let done = 0
      const onSimulation = () =>
        options.onFit?.(simulations * i + Math.min(done++, simulations - 1), simulations * seen.size)
      // A case in which nobody drew the label says nothing about it.
      const observations = [...own.values()].filter(({ present }) => present.length > 0)
      try {
        return { label, observations, fit: fitAnnotators(observations, { ...options, onSimulation }) }
      } catch (error) {
        if (!(error instanceof InputError)) throw error
        return { label, observations, reason: error.fault }
      }
    })
  return { labels, failed }
}
