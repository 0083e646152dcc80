import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { isBlocked, sumChannels, toBlocked } from './blocked-channels.ts'
import { emitSum } from './sums.ts'

const operator: Operator<undefined> = {
  name: 'sumOfChannels',
  infer: ([{ shape, type }]) => [{ shape: [shape[1]], type }],
  lower: (emit, [x], { inputs: [{ shape }] }) => {
    if (isBlocked(emit, x)) {
      const planes = sumChannels(emit, toBlocked(emit, x, shape), shape)
      return emit.node('ReduceSum', [planes, emit.ints([0, 2])], { attributes: { keepdims: { int: 0 } } })
    }
    const sums = emitSum(emit, x, shape, [0, ...shape.slice(2).map((_, axis) => axis + 2)])
    return emit.node('Reshape', [sums, emit.ints([shape[1]])])
  },
}

/** Σ over cases and voxels: x [n, c, …] to [c], the gradient of a bias. */
export function sumOfChannels(x: Tensor): Tensor {
  return apply(operator, [x], undefined)
}
