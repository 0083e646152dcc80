import { softDiceOptimum } from '../decision/soft-dice.ts'
import type { SessionOptions } from '../network/runtime/session.ts'
import { labelMapOf } from '../volume/labels.ts'
import { type LabelBits, labelBits } from './label-bits.ts'
import { openModel } from './model-file.ts'
import { predictProbability } from './predict.ts'
import { type CaseSource, readCase } from './training-config.ts'

export interface HeldOutScore {
  /** Mean over cases of the Dice on the image's own grid, cut at ½. */
  readonly dice: number
  /** The same, cut at the per-case t* of the prediction. */
  readonly diceAtCaseThreshold: number
  /** The cases' Dice at ½, in their order. */
  readonly cases: readonly number[]
}

/** Scores a model file on cases that it was not trained on (see prepareCases): one score for each output. */
export async function scoreModel(
  path: string,
  cases: readonly CaseSource[],
  options: SessionOptions,
): Promise<HeldOutScore[]> {
  const model = await openModel(path, options)
  const { outputs } = model.metadata
  const atHalf: number[][] = outputs.map(() => [])
  const atOptimum: number[][] = outputs.map(() => [])
  try {
    for (const source of cases) {
      const { id, image, label } = await readCase(source)
      const { data } = await predictProbability(model, image, id)
      const bits = labelBits(
        labelMapOf(label, id).values,
        outputs.map(({ labels }) => labels),
      )
      for (let k = 0; k < outputs.length; k++) {
        const map = data.subarray(k * bits.length, (k + 1) * bits.length)
        atHalf[k].push(diceOfCut(map, bits, k, 0.5))
        atOptimum[k].push(diceOfCut(map, bits, k, softDiceOptimum(map).threshold))
      }
    }
  } finally {
    await model.session.dispose()
  }
  const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length
  return outputs.map((_, k) => ({ dice: mean(atHalf[k]), diceAtCaseThreshold: mean(atOptimum[k]), cases: atHalf[k] }))
}

/** Dice of {map ≥ threshold} with output k of the label bits; 1 where both are empty. */
export function diceOfCut(map: Float32Array, bits: LabelBits, k: number, threshold: number): number {
  let [overlap, total] = [0, 0]
  for (let v = 0; v < bits.length; v++) {
    const s = map[v] >= threshold ? 1 : 0
    const l = (bits[v] >>> k) & 1
    overlap += s & l
    total += s + l
  }
  return total === 0 ? 1 : (2 * overlap) / total
}
