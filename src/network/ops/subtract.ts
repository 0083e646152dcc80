import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { broadcastShape, sumToShape } from './broadcast.ts'
import { negate } from './negate.ts'

const operator: Operator<undefined> = {
  name: 'subtract',
  infer: ([a, b]) => [{ shape: broadcastShape(a.shape, b.shape), type: a.type }],
  lower: (emit, inputs) => emit.node('Sub', inputs),
  gradient: ([g], { inputs: [a, b] }) =>
    g === undefined ? [] : [sumToShape(g, a.shape), sumToShape(negate(g), b.shape)],
}

/** a − b, elementwise, with broadcasting. */
export function subtract(a: Tensor, b: Tensor): Tensor {
  return apply(operator, [a, b], undefined)
}
