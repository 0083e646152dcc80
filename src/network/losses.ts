import { sizeOf, type Tensor } from './graph/tensor.ts'
import { add } from './ops/add.ts'
import { reduceSum } from './ops/broadcast.ts'
import { scalar } from './ops/constant.ts'
import { divide } from './ops/divide.ts'
import { multiply } from './ops/multiply.ts'
import { reshape } from './ops/reshape.ts'
import { sigmoid } from './ops/sigmoid.ts'
import { softplus } from './ops/softplus.ts'
import { subtract } from './ops/subtract.ts'

export interface LossPlan {
  readonly kind: 'cross-entropy' | 'soft-dice' | 'dice+cross-entropy'
  /** Soft-Dice's sums run over each case (and the losses are averaged) or over the whole batch. */
  readonly scope: 'case' | 'batch'
  /** Added to soft-Dice's numerator and denominator, in voxels: an empty map of an empty label then costs nothing. */
  readonly smoothing: number
}

export const defaultLoss: LossPlan = { kind: 'soft-dice', scope: 'batch', smoothing: 1 }

/** The scalar to minimise, from logits and targets (in [0, 1]) of one shape [cases, outputs, …]. */
export function loss(plan: LossPlan, logits: Tensor, target: Tensor): Tensor {
  if (plan.kind === 'cross-entropy') return crossEntropy(logits, target)
  const dice = softDice(plan, logits, target)
  return plan.kind === 'soft-dice' ? dice : add(crossEntropy(logits, target), dice)
}

/** Mean over cases, outputs and voxels of −t log p − (1−t) log(1−p), written as log(1+eᶻ) − t·z. */
function crossEntropy(logits: Tensor, target: Tensor): Tensor {
  return mean(subtract(softplus(logits), multiply(target, logits)))
}

/**
 * 1 − (2 Σ p·t + s) / (Σ p + Σ t + s), the ratio of sums (not the sum of ratios) over the voxels of a case or of the
 * batch; mean over outputs (and cases).
 */
function softDice({ scope, smoothing }: LossPlan, logits: Tensor, target: Tensor): Tensor {
  const axes = logits.shape.map((_, axis) => axis).filter((axis) => axis > 1 || (axis === 0 && scope === 'batch'))
  const probability = sigmoid(logits)
  const s = scalar(smoothing)
  const overlap = reduceSum(multiply(probability, target), axes)
  const total = add(reduceSum(probability, axes), reduceSum(target, axes))
  const ratio = divide(add(multiply(overlap, scalar(2)), s), add(total, s))
  return mean(subtract(scalar(1), ratio))
}

function mean(x: Tensor): Tensor {
  return reshape(multiply(reduceSum(x), scalar(1 / sizeOf(x.shape))), [])
}
