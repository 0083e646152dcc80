import { apply, type Operator, sizeOf, type Tensor } from '../graph/tensor.ts'

const operator: Operator<undefined> = {
  name: 'flipKernel',
  infer: ([{ shape, type }]) => [{ shape: [shape[1], shape[0], ...shape.slice(2)], type }],
  lower: (emit, [w], { inputs: [{ shape }] }) => {
    // Reversing every kernel axis at once is reversing the flattened kernel.
    const [outputs, inputs, ...kernel] = shape
    const [flat] = emit.node('Reshape', [w, emit.ints([outputs, inputs, sizeOf(kernel)])])
    const [swapped] = emit.node('Transpose', [flat], { attributes: { perm: { ints: [1, 0, 2] } } })
    const reversed =
      sizeOf(kernel) === 1
        ? swapped
        : emit.node('Slice', [swapped, emit.ints([-1]), emit.ints([-(2 ** 31)]), emit.ints([2]), emit.ints([-1])])[0]
    return emit.node('Reshape', [reversed, emit.ints([inputs, outputs, ...kernel])])
  },
  gradient: ([g]) => (g === undefined ? [] : [flipKernel(g)]),
}

/** The weights [in, out, kernel…] of the convolution that is the adjoint of the one with w [out, in, kernel…]. */
export function flipKernel(w: Tensor): Tensor {
  return apply(operator, [w], undefined)
}
