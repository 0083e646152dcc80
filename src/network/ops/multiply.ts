import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { broadcastShape, sumToShape } from './broadcast.ts'

const operator: Operator<undefined> = {
  name: 'multiply',
  infer: ([a, b]) => [{ shape: broadcastShape(a.shape, b.shape), type: a.type }],
  lower: (emit, inputs) => emit.node('Mul', inputs),
  gradient: ([g], { inputs: [a, b] }) =>
    g === undefined ? [] : [sumToShape(multiply(g, b), a.shape), sumToShape(multiply(g, a), b.shape)],
}

/** a · b, elementwise, with broadcasting. */
export function multiply(a: Tensor, b: Tensor): Tensor {
  return apply(operator, [a, b], undefined)
}
