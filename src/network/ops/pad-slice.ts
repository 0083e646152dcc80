import { apply, formatShape, type Operator, type Tensor } from '../graph/tensor.ts'

// Each operator here is the other's gradient.

interface Padding {
  readonly before: readonly number[]
  readonly after: readonly number[]
}

const padding: Operator<Padding> = {
  name: 'pad',
  infer: ([x], { before, after }) => [{ shape: x.shape.map((n, i) => before[i] + n + after[i]), type: x.type }],
  lower: (emit, [x], { attributes: { before, after } }) => emit.node('Pad', [x, emit.ints([...before, ...after])]),
  gradient: ([g], { inputs: [x], attributes: { before } }) => {
    if (g === undefined) return []
    return [before.reduce((part, start, axis) => slice(part, axis, start, start + x.shape[axis]), g)]
  },
}

/** Zeros before and after x, so many along each axis. */
export function pad(x: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  return apply(padding, [x], { before, after })
}

interface Slicing {
  readonly axis: number
  readonly start: number
  readonly end: number
}

const slicing: Operator<Slicing> = {
  name: 'slice',
  infer: ([x], { axis, start, end }) => {
    if (!(0 <= start && start < end && end <= x.shape[axis])) {
      throw new Error(`slice ${start}:${end} of axis ${axis} of ${formatShape(x.shape)}`)
    }
    return [{ shape: x.shape.map((n, i) => (i === axis ? end - start : n)), type: x.type }]
  },
  lower: (emit, [x], { attributes: { axis, start, end } }) =>
    emit.node('Slice', [x, emit.ints([start]), emit.ints([end]), emit.ints([axis])]),
  gradient: ([g], { inputs: [x], attributes: { axis, start, end } }) => {
    const before = x.shape.map((_, i) => (i === axis ? start : 0))
    const after = x.shape.map((n, i) => (i === axis ? n - end : 0))
    return g === undefined ? [] : [pad(g, before, after)]
  },
}

/** The part of x from `start` up to `end` (not included) along one axis. */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  return start === 0 && end === x.shape[axis] ? x : apply(slicing, [x], { axis, start, end })
}
