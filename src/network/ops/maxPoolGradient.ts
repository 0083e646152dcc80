import { apply, type Operator, type Tensor } from '../graph/tensor.ts'

const operator: Operator<undefined> = {
  name: 'maxPoolGradient',
  infer: ([, x]) => [{ shape: x.shape, type: x.type }],
  lower: (emit, [g, , , indices], { inputs: [, x] }) => {
    const twos = { ints: x.shape.slice(2).map(() => 2) }
    return emit.node('MaxUnpool', [g, indices, emit.ints(x.shape)], {
      attributes: { kernel_shape: twos, strides: twos },
    })
  },
}

/** Puts each block's gradient where its maximum stood (the first one, of equals). */
export function maxPoolGradient(g: Tensor, x: Tensor, y: Tensor, indices: Tensor): Tensor {
  return apply(operator, [g, x, y, indices], undefined)
}
