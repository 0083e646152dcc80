import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { broadcastShape } from './broadcast.ts'

const operator: Operator<undefined> = {
  name: 'minimum',
  infer: ([a, b]) => [{ shape: broadcastShape(a.shape, b.shape), type: a.type }],
  lower: (emit, inputs) => emit.node('Min', inputs),
}

/** The smaller of a and b, elementwise; the optimiser's clipping uses it, nothing is differentiated through it. */
export function minimum(a: Tensor, b: Tensor): Tensor {
  return apply(operator, [a, b], undefined)
}
