import { apply, formatShape, type Operator, shapesEqual, type Tensor } from '../graph/tensor.ts'
import { reshape } from './reshape.ts'
import { emitSum } from './sums.ts'

// Stretching a tensor along axes, and its gradient, the sum over them.

/** The shape of an elementwise result, by NumPy's rule: axes are aligned at the end, and 1 stretches. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, axis) => {
    const m = a[axis - rank + a.length] ?? 1
    const n = b[axis - rank + b.length] ?? 1
    if (m !== n && m !== 1 && n !== 1)
      throw new Error(`shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast`)
    return m === 1 ? n : m
  })
}

/** The adjoint of broadcasting: sums a gradient over the axes along which its tensor of `shape` was stretched. */
export function sumToShape(gradient: Tensor, shape: readonly number[]): Tensor {
  if (shapesEqual(gradient.shape, shape)) return gradient
  const offset = gradient.shape.length - shape.length
  const axes = gradient.shape.flatMap((n, axis) =>
    axis < offset || (shape[axis - offset] === 1 && n > 1) ? [axis] : [],
  )
  return reshape(reduceSum(gradient, axes), shape)
}

interface Stretching {
  readonly shape: readonly number[]
}

const stretching: Operator<Stretching> = {
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
  return shapesEqual(x.shape, shape) ? x : apply(stretching, [x], { shape })
}

interface Summing {
  readonly axes: readonly number[]
}

const summing: Operator<Summing> = {
  name: 'reduceSum',
  infer: ([x], { axes }) => [{ shape: x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)), type: x.type }],
  lower: (emit, [x], { inputs: [{ shape }], attributes: { axes } }) => [emitSum(emit, x, shape, axes)],
  gradient: ([g], { inputs: [x] }) => (g === undefined ? [] : [broadcastTo(g, x.shape)]),
}

/** Sums over the axes (default: all), which stay with size 1. */
export function reduceSum(x: Tensor, axes: readonly number[] = x.shape.map((_, axis) => axis)): Tensor {
  return axes.length === 0 ? x : apply(summing, [x], { axes })
}
