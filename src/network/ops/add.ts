import { apply, type Operator, shapesEqual, type Tensor } from '../graph/tensor.ts'
import { elementwise } from './blocked-channels.ts'
import { broadcastShape, sumToShape } from './broadcast.ts'

const operator: Operator<undefined> = {
  name: 'add',
  infer: ([a, b]) => [{ shape: broadcastShape(a.shape, b.shape), type: a.type }],
  lower: (emit, names, { inputs: [a, b] }) => {
    if (!shapesEqual(a.shape, b.shape)) return emit.node('Add', names)
    return [elementwise(emit, names, a.shape, (values) => emit.node('Add', values)[0])]
  },
  gradient: ([g], { inputs: [a, b] }) => (g === undefined ? [] : [sumToShape(g, a.shape), sumToShape(g, b.shape)]),
}

/** a + b, elementwise, with broadcasting. */
export function add(a: Tensor, b: Tensor): Tensor {
  return apply(operator, [a, b], undefined)
}
