import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { dataTypes } from '../onnx/model.ts'
import { fromBlocked, isBlocked, toBlocked } from './blocked-channels.ts'
import { emitBlockSum, emitUpsample } from './upsample.ts'

const operator: Operator<undefined> = {
  name: 'maxPoolGradient',
  infer: ([, x]) => [{ shape: x.shape, type: x.type }],
  lower: (emit, names, { inputs: [, { shape }, { shape: coarse }] }) => {
    const blocked = isBlocked(emit, names[1])
    const [g, x, y] = blocked ? names.map((name, i) => toBlocked(emit, name, i === 1 ? shape : coarse)) : names
    const [isMaximum] = emit.node('Equal', [x, emitUpsample(emit, y, coarse, blocked)])
    const [mask] = emit.node('Cast', [isMaximum], { attributes: { to: { int: dataTypes.float32 } } })
    const [share] = emit.node('Div', [g, emitBlockSum(emit, mask, shape, blocked)])
    const [dx] = emit.node('Mul', [emitUpsample(emit, share, coarse, blocked), mask])
    return [blocked ? fromBlocked(emit, dx, shape) : dx]
  },
}

/** Puts each block's gradient where its maximum stands, in equal parts on all of them where there are several. */
export function maxPoolGradient(g: Tensor, x: Tensor, y: Tensor): Tensor {
  return apply(operator, [g, x, y], undefined)
}
