import { softDiceOptimum } from '../decision/soft-dice.ts'
import type { Session } from '../network/runtime/session.ts'
import type { Validation } from '../network/train.ts'
import { RunError } from '../volume/errors.ts'
import { diceOfCut } from './hold-out.ts'
import type { ModelMetadata, OutputSpec } from './model-file.ts'
import type { PreparedCase } from './patch.ts'
import { predictPrepared } from './predict.ts'
import type { PreparedImage } from './preprocess.ts'

/** Mean Dice over cases on the network's grid; a case without the label and without a mask counts 1. */
export async function validate(
  session: Session,
  cases: readonly PreparedCase[],
  patch: ModelMetadata['patch'],
  outputs: readonly OutputSpec[],
): Promise<Validation> {
  const atHalf = new Float64Array(outputs.length)
  const atOptimum = new Float64Array(outputs.length)
  for (const { image, bits } of cases) {
    const maps = await finiteMaps(session, { patch, outputs }, image)
    const voxels = bits.length
    for (let k = 0; k < outputs.length; k++) {
      const map = maps.subarray(k * voxels, (k + 1) * voxels)
      atHalf[k] += diceOfCut(map, bits, k, 0.5)
      atOptimum[k] += diceOfCut(map, bits, k, softDiceOptimum(map).threshold)
    }
  }
  const mean = (sums: Float64Array) => [...sums].map((sum) => Number((sum / cases.length).toFixed(5)))
  return { validationDice: mean(atHalf), validationDiceAtCaseThreshold: mean(atOptimum) }
}

/** @throws RunError for maps that are no numbers: a network may diverge in its last step, after its loss was seen */
export async function finiteMaps(
  session: Session,
  metadata: Pick<ModelMetadata, 'patch' | 'outputs'>,
  image: PreparedImage,
): Promise<Float32Array> {
  const maps = await predictPrepared(session, metadata, image)
  if (!maps.every(Number.isFinite)) {
    throw new RunError('training', 'the network predicts NaN: it has diverged; lower the learning rate')
  }
  return maps
}
