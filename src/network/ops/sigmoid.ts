import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { scalar } from './constant.ts'
import { multiply } from './multiply.ts'
import { subtract } from './subtract.ts'

const operator: Operator<undefined> = {
  name: 'sigmoid',
  infer: ([x]) => [{ shape: x.shape, type: x.type }],
  lower: (emit, inputs) => emit.node('Sigmoid', inputs),
  gradient: ([g], { outputs: [y] }) => (g === undefined ? [] : [multiply(g, multiply(y, subtract(scalar(1), y)))]),
}

/** 1 / (1 + exp(−x)), elementwise. */
export function sigmoid(x: Tensor): Tensor {
  return apply(operator, [x], undefined)
}
