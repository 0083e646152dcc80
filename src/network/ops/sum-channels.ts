import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { isBlocked, sumChannels, toBlocked } from './blocked-channels.ts'

const operator: Operator<undefined> = {
  name: 'sumOfChannels',
  infer: ([{ shape, type }]) => [{ shape: [shape[1]], type }],
  lower: (emit, [x], { inputs: [{ shape }] }) => {
    const drop = { attributes: { keepdims: { int: 0 } } }
    if (!isBlocked(emit, x)) {
      return emit.node('ReduceSum', [x, emit.ints([0, ...shape.slice(2).map((_, axis) => axis + 2)])], drop)
    }
    return emit.node('ReduceSum', [sumChannels(emit, toBlocked(emit, x, shape), shape), emit.ints([0, 2])], drop)
  },
}

/** Σ over cases and voxels: x [n, c, …] to [c], the gradient of a bias. */
export function sumOfChannels(x: Tensor): Tensor {
  return apply(operator, [x], undefined)
}
