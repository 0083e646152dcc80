import { apply, formatShape, type Operator, sizeOf, type Tensor } from '../graph/tensor.ts'
import { blockWeightGradient } from './block-weight-gradient.ts'
import { convDown } from './conv-down.ts'
import { blocksToSpace } from './space-to-blocks.ts'

const operator: Operator<undefined> = {
  name: 'convUp',
  infer: ([x, w]) => {
    if (w.shape[0] !== x.shape[1]) throw new Error(`convUp of ${formatShape(x.shape)} with ${formatShape(w.shape)}`)
    return [{ shape: [x.shape[0], w.shape[1], ...x.shape.slice(2).map((n) => 2 * n)], type: x.type }]
  },
  lower: (emit, [x, w], { inputs: [{ shape }, { shape: wShape }] }) => {
    const [n, inputs, ...spatial] = shape
    if (emit.target.purpose === 'inference') {
      const twos = { ints: spatial.map(() => 2) }
      return emit.node('ConvTranspose', [x, w], { attributes: { kernel_shape: twos, strides: twos } })
    }
    const rows = wShape[1] * 2 ** spatial.length
    const [matrix] = emit.node('Reshape', [w, emit.ints([inputs, rows])])
    const [transposed] = emit.node('Transpose', [matrix], { attributes: { perm: { ints: [1, 0] } } })
    const [columns] = emit.node('Reshape', [x, emit.ints([n, inputs, sizeOf(spatial)])])
    const [blocks] = emit.node('MatMul', [transposed, columns])
    return [blocksToSpace(emit, blocks, [n, wShape[1], ...spatial])]
  },
  gradient: ([g], { inputs: [x, w] }) => (g === undefined ? [] : [convDown(g, w), blockWeightGradient(x, g)]),
}

/** Transposed convolution with kernel and stride 2: x [cases, in, …] with w [in, out, 2, 2(, 2)] to twice the size. */
export function convUp(x: Tensor, w: Tensor): Tensor {
  return apply(operator, [x, w], undefined)
}
