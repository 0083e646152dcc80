import { apply, formatShape, type Operator, shapesEqual, type Tensor } from '../graph/tensor.ts'
import { broadcastShape, sumToShape } from './broadcast.ts'

interface Attributes {
  readonly shape: readonly number[]
}

const operator: Operator<Attributes> = {
  name: 'broadcastTo',
  infer: ([x], { shape }) => {
    if (!shapesEqual(broadcastShape(x.shape, shape), shape)) {
      throw new Error(`${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}`)
    }
    return [{ shape, type: x.type }]
  },
  lower: (emit, [x], { attributes: { shape } }) => emit.node('Expand', [x, emit.ints(shape)]),
  gradient: ([g], { inputs: [x] }) => (g === undefined ? [] : [sumToShape(g, x.shape)]),
}

/** Repeats x along axes of size 1 and along new leading axes. */
export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  return shapesEqual(x.shape, shape) ? x : apply(operator, [x], { shape })
}
