import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { multiply } from './multiply.ts'
import { sigmoid } from './sigmoid.ts'

const operator: Operator<undefined> = {
  name: 'softplus',
  infer: ([x]) => [{ shape: x.shape, type: x.type }],
  lower: (emit, inputs) => emit.node('Softplus', inputs),
  gradient: ([g], { inputs: [x] }) => (g === undefined ? [] : [multiply(g, sigmoid(x))]),
}

/** log(1 + exp(x)), which does not overflow, elementwise. */
export function softplus(x: Tensor): Tensor {
  return apply(operator, [x], undefined)
}
