import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { slice } from './slice.ts'

interface Attributes {
  readonly before: readonly number[]
  readonly after: readonly number[]
}

const operator: Operator<Attributes> = {
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
  return apply(operator, [x], { before, after })
}
