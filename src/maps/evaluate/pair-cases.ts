import { several } from '../../datasets/image-folder.ts'
import type { LabelCase } from '../../datasets/label-cases.ts'
import { InputError } from '../../volume/errors.ts'

export interface CasePairs {
  readonly pairs: readonly { readonly prediction: LabelCase; readonly reference: LabelCase }[]
  /** References without a prediction. */
  readonly missing: readonly LabelCase[]
  /** Predictions without a reference. */
  readonly unpaired: readonly LabelCase[]
}

/**
 * Predictions and references of the same names. One of each is a pair whatever they are called.
 *
 * @throws InputError where no name is in both
 */
export function pairCases(predictions: readonly LabelCase[], references: readonly LabelCase[]): CasePairs {
  if (predictions.length === 1 && references.length === 1) {
    const [[prediction], [reference]] = [predictions, references]
    return { pairs: [{ prediction, reference }], missing: [], unpaired: [] }
  }
  const [byName, known] = [
    new Map(predictions.map((one) => [one.name, one])),
    new Set(references.map(({ name }) => name)),
  ]
  const pairs = references.flatMap((reference) => {
    const prediction = byName.get(reference.name)
    return prediction === undefined ? [] : [{ prediction, reference }]
  })
  if (pairs.length === 0) {
    const [are, others] = [predictions, references].map((cases) => several(cases.map(({ name }) => name)))
    const remedy = "say what their names have more by --suffix, or write patterns such as 'FOLDER/{case}_seg.nii.gz'"
    throw new InputError('evaluate', `no prediction (${are}) is called as a reference (${others}); ${remedy}`)
  }
  return {
    pairs,
    missing: references.filter(({ name }) => !byName.has(name)),
    unpaired: predictions.filter(({ name }) => !known.has(name)),
  }
}
