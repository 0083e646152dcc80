import { apply, formatShape, type Operator, shapesEqual, sizeOf, type Tensor } from '../graph/tensor.ts'

interface Attributes {
  readonly shape: readonly number[]
}

const operator: Operator<Attributes> = {
  name: 'reshape',
  infer: ([x], { shape }) => {
    if (sizeOf(x.shape) !== sizeOf(shape)) throw new Error(`reshape ${formatShape(x.shape)} to ${formatShape(shape)}`)
    return [{ shape, type: x.type }]
  },
  lower: (emit, [x], { attributes: { shape } }) => emit.node('Reshape', [x, emit.ints(shape)]),
  gradient: ([g], { inputs: [x] }) => (g === undefined ? [] : [reshape(g, x.shape)]),
}

/** The same numbers in the same order under another shape. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  return shapesEqual(x.shape, shape) ? x : apply(operator, [x], { shape })
}
