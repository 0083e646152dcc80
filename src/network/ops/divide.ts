import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { broadcastShape, sumToShape } from './broadcast.ts'
import { multiply } from './multiply.ts'
import { negate } from './negate.ts'

const operator: Operator<undefined> = {
  name: 'divide',
  infer: ([a, b]) => [{ shape: broadcastShape(a.shape, b.shape), type: a.type }],
  lower: (emit, inputs) => emit.node('Div', inputs),
  gradient: ([g], { inputs: [a, b] }) =>
    g === undefined
      ? []
      : [sumToShape(divide(g, b), a.shape), sumToShape(negate(divide(multiply(g, a), multiply(b, b))), b.shape)],
}

/** a / b, elementwise, with broadcasting. */
export function divide(a: Tensor, b: Tensor): Tensor {
  return apply(operator, [a, b], undefined)
}
