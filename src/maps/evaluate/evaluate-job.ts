import type { LabelCase } from '../../datasets/label-cases.ts'
import { outcomeOf } from '../../datasets/over-cases.ts'
import type { Evaluation } from '../../metrics/evaluate-case.ts'
import { InputError } from '../../volume/errors.ts'
import { type EvaluateFilesOptions, evaluateFiles, evaluateOrgans, type OrganFiles } from './evaluate-files.ts'

/** One case to score: plain data, which a thread can be handed. */
export interface EvaluateJob {
  readonly prediction?: LabelCase | undefined
  readonly reference: LabelCase
  /** The organs of the cohort, in the order of their numbers, where each has a file. */
  readonly organs: readonly string[]
  readonly options: EvaluateFilesOptions
}

/** What a thread runs, and the module where it finds it. */
export const evaluateWork = {
  module: new URL('./evaluate-job.js', import.meta.url),
  run: (job: EvaluateJob) => outcomeOf(() => evaluateOne(job)),
}
export const { run } = evaluateWork

/** Scores one case. Throws InputError as `evaluateFiles` does. */
async function evaluateOne({ prediction, reference, organs, options }: EvaluateJob): Promise<Evaluation> {
  if (prediction !== undefined && (prediction.organs === undefined) !== (reference.organs === undefined)) {
    const [one, other] = reference.organs === undefined ? [prediction, reference] : [reference, prediction]
    const remedy = 'join the masks to a label map, or give masks on both sides'
    throw new InputError(other.input, `is a label map, ${one.input} has a file for each organ; ${remedy}`)
  }
  if (reference.organs === undefined) return evaluateFiles(prediction?.input, reference.input, options)
  const files = organs.map((name): OrganFiles => {
    return { name, prediction: prediction?.organs?.get(name), reference: reference.organs?.get(name) }
  })
  const there = files.filter((each) => each.prediction !== undefined || each.reference !== undefined)
  const { scores, ...rest } = await evaluateOrgans(there, options)
  const numbers = there.map(({ name }) => organs.indexOf(name) + 1)
  return { scores: scores.map((score, i) => ({ ...score, labels: [numbers[i]] })), ...rest }
}
