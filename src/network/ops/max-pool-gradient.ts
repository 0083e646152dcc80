import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { dataTypes } from '../onnx/model.ts'
import { emitBlockSum, emitUpsample } from './upsample.ts'

const operator: Operator<undefined> = {
  name: 'maxPoolGradient',
  infer: ([, x]) => [{ shape: x.shape, type: x.type }],
  lower: (emit, [g, x, y], { inputs: [, { shape }, { shape: coarse }] }) => {
    const [isMaximum] = emit.node('Equal', [x, emitUpsample(emit, y, coarse)])
    const [mask] = emit.node('Cast', [isMaximum], { attributes: { to: { int: dataTypes.float32 } } })
    const [share] = emit.node('Div', [g, emitBlockSum(emit, mask, shape)])
    return emit.node('Mul', [emitUpsample(emit, share, coarse), mask])
  },
}

/** Puts each block's gradient where its maximum stands, in equal parts on all of them where there are several. */
export function maxPoolGradient(g: Tensor, x: Tensor, y: Tensor): Tensor {
  return apply(operator, [g, x, y], undefined)
}
