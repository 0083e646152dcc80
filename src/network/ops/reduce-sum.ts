import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { broadcastTo } from './broadcast-to.ts'

interface Attributes {
  readonly axes: readonly number[]
}

const operator: Operator<Attributes> = {
  name: 'reduceSum',
  infer: ([x], { axes }) => [{ shape: x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)), type: x.type }],
  lower: (emit, [x], { attributes: { axes } }) =>
    emit.node('ReduceSum', [x, emit.ints(axes)], { attributes: { keepdims: { int: 1 } } }),
  gradient: ([g], { inputs: [x] }) => (g === undefined ? [] : [broadcastTo(g, x.shape)]),
}

/** Sums over the axes (default: all), which stay with size 1. */
export function reduceSum(x: Tensor, axes: readonly number[] = x.shape.map((_, axis) => axis)): Tensor {
  return axes.length === 0 ? x : apply(operator, [x], { axes })
}
