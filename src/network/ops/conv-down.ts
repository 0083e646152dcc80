import { apply, formatShape, type Operator, type Tensor } from '../graph/tensor.ts'
import { blockWeightGradient } from './block-weight-gradient.ts'
import { convUp } from './conv-up.ts'

const operator: Operator<undefined> = {
  name: 'convDown',
  infer: ([x, w]) => {
    if (w.shape[1] !== x.shape[1] || x.shape.slice(2).some((n) => n % 2 !== 0)) {
      throw new Error(`convDown of ${formatShape(x.shape)} with ${formatShape(w.shape)}`)
    }
    return [{ shape: [x.shape[0], w.shape[0], ...x.shape.slice(2).map((n) => n / 2)], type: x.type }]
  },
  lower: (emit, [x, w], { inputs: [{ shape }] }) => {
    const twos = { ints: shape.slice(2).map(() => 2) }
    return emit.node('Conv', [x, w], { attributes: { kernel_shape: twos, strides: twos } })
  },
  gradient: ([g], { inputs: [x, w] }) => (g === undefined ? [] : [convUp(g, w), blockWeightGradient(g, x)]),
}

/** Convolution with kernel and stride 2: x [cases, in, …] with w [out, in, 2, 2(, 2)] to half the size. */
export function convDown(x: Tensor, w: Tensor): Tensor {
  return apply(operator, [x, w], undefined)
}
