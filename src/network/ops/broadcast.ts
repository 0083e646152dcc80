import { formatShape, shapesEqual, type Tensor } from '../graph/tensor.ts'
import { reduceSum } from './reduce-sum.ts'
import { reshape } from './reshape.ts'

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
