import { labelsOf } from '../annotators/consensus.ts'
import { type CaseObservation, observeAnnotators } from '../annotators/observe.ts'
import { type AnnotatorCase, type AnnotatorMaps, readAnnotatorCase } from './annotator-cases.ts'
import { outcomeOf } from './over-cases.ts'

/** A case of several annotators to look at: plain data, which a process can be handed. */
export interface ObserveJob {
  readonly one: AnnotatorCase
  /** Default: all that any map holds, but 0. */
  readonly labels?: readonly number[] | undefined
}

/** What a process runs, and the module where it finds it. */
export const observeWork = {
  module: new URL('./observe-case.js', import.meta.url),
  run: (job: ObserveJob) => outcomeOf(() => observeCase(job)),
}
export const { run } = observeWork

/** What the fit needs of each label of a case. */
async function observeCase({ one, labels }: ObserveJob): Promise<(readonly [label: number, CaseObservation])[]> {
  const maps = await readAnnotatorCase(one)
  return (labels ?? labelsOf(maps.maps)).map((label) => [label, observed(one.name, maps, label)])
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
