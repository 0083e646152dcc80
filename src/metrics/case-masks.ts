import type { Grid } from '../volume/grid.ts'
import type { LabelSet } from '../volume/label-numbers.ts'
import { type LabelArray, labelMapOf, withoutIgnored } from '../volume/labels.ts'
import { onOneGrid } from '../volume/one-grid.ts'
import { probabilitiesOf } from '../volume/probabilities.ts'
import { maskOf255 } from '../volume/reference-labels.ts'
import type { Volume } from '../volume/volume.ts'
import { channelOf } from '../volume/volume.ts'
import { type CaseScore, type EvaluateCaseOptions, foregroundOf, inside, masksOf } from './evaluate-case.ts'

/** The masks behind one score: a voxel is inside where its number is positive. */
export interface ScoredMasks {
  readonly grid: Grid
  readonly prediction: LabelArray
  readonly reference: LabelArray
}

/**
 * The masks that `evaluateCase` compared for one of its scores, to be looked at. Voxels that nobody has annotated are
 * negative in the reference, and 0 in the prediction.
 *
 * @param index which of the scores it is: the number of the map, where the prediction has several
 * @throws InputError as `evaluateCase` with the same volumes and options does
 */
export function scoredMasks(
  prediction: Volume,
  reference: Volume,
  score: CaseScore,
  index: number,
  { labels, ignore, scale, names = { prediction: 'prediction', reference: 'reference' } }: EvaluateCaseOptions = {},
): ScoredMasks {
  const [own, truth] = onOneGrid(prediction, reference)
  const annotated = withoutIgnored(labelMapOf(truth, names.reference), ignore)
  const mask = predictedMask()
  const read = maskOf255(annotated, labels ?? mask.classes ?? foregroundOf(annotated)).map.values
  const inReference = inside(read, score.labels)
  const inPrediction = mask.values.map((value: number, at: number) => (inReference[at] < 0 ? 0 : value))
  return { grid: own.grid, prediction: inPrediction, reference: inReference }

  function predictedMask(): { values: Int8Array; classes?: readonly LabelSet[] } {
    const { probabilities } = score
    if (probabilities === undefined) {
      const masks = own.channels > 1 ? masksOf(own, names.prediction) : undefined
      if (masks) return { values: Int8Array.from(masks[index], (value) => Number(value > 0)) }
      const map = labelMapOf(own, names.prediction)
      const values = maskOf255(map, labels ?? foregroundOf(annotated)).map.values
      return { values: inside(values, score.labels), classes: foregroundOf(map) }
    }
    // A class that was left out has no mask, whatever its probabilities are.
    if (score.volumePredMl === 0) return { values: new Int8Array(own.data.length / own.channels) }
    const map = { ...own, channels: 1, data: channelOf(own, index) }
    const values = probabilitiesOf(map, names.prediction, scale === undefined ? {} : { scale })
    return { values: Int8Array.from(values, (p) => Number(p >= probabilities.threshold)) }
  }
}
