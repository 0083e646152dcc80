import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { broadcastShape, sumToShape } from './broadcast.ts'

const operator: Operator<undefined> = {
  name: 'add',
  infer: ([a, b]) => [{ shape: broadcastShape(a.shape, b.shape), type: a.type }],
  lower: (emit, inputs) => emit.node('Add', inputs),
  gradient: ([g], { inputs: [a, b] }) => (g === undefined ? [] : [sumToShape(g, a.shape), sumToShape(g, b.shape)]),
}

/** a + b, elementwise, with broadcasting. */
export function add(a: Tensor, b: Tensor): Tensor {
  return apply(operator, [a, b], undefined)
}
