import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { scalar } from './constant.ts'
import { divide } from './divide.ts'
import { multiply } from './multiply.ts'

const operator: Operator<undefined> = {
  name: 'sqrt',
  infer: ([x]) => [{ shape: x.shape, type: x.type }],
  lower: (emit, inputs) => emit.node('Sqrt', inputs),
  gradient: ([g], { outputs: [y] }) => (g === undefined ? [] : [divide(g, multiply(scalar(2), y))]),
}

/** √x; its slope is infinite at 0, elementwise. */
export function sqrt(x: Tensor): Tensor {
  return apply(operator, [x], undefined)
}
