import { labelsOf } from '../annotators/consensus.ts'
import { type AnnotatorFit, type FitOptions, fitAnnotators } from '../annotators/fit.ts'
import { type CaseObservation, observeAnnotators } from '../annotators/observe.ts'
import { InputError } from '../volume/errors.ts'
import { type AnnotatorCases, type AnnotatorMaps, readAnnotatorCase } from './annotator-cases.ts'

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
  for (const [done, one] of cases.entries()) {
    try {
      const maps = await readAnnotatorCase(one)
      for (const label of options.labels ?? labelsOf(maps.maps)) {
        const own = seen.get(label) ?? new Map<string, CaseObservation>()
        seen.set(label, own)
        own.set(one.name, observed(one.name, maps, label))
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      failed.push({ case: one.name, error })
    }
    options.onCase?.(done + 1)
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

/** With the annotators' own numbers, which differ from the maps' where some have no map of the case. */
function observed(name: string, { maps, grid, annotators }: AnnotatorMaps, label: number): CaseObservation {
  const own = observeAnnotators(name, maps, grid, label)
  return {
    ...own,
    present: own.present.map((r) => annotators[r]),
    pairs: own.pairs.map((pair) => ({ ...pair, a: annotators[pair.a], b: annotators[pair.b] })),
  }
}
