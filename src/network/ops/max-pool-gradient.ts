import { apply, type Emitter, type Operator, type Tensor } from '../graph/tensor.ts'
import { emitBlockSum } from './block-sum.ts'
import { emitUpsample } from './upsample.ts'

const operator: Operator<undefined> = {
  name: 'maxPoolGradient',
  infer: ([, x]) => [{ shape: x.shape, type: x.type }],
  lower: (emit, [g, x, y, indices], { inputs: [, { shape }] }) => {
    const twos = { ints: shape.slice(2).map(() => 2) }
    if (emit.target.device !== 'cpu') return [withoutIndices(emit, g, x, y, shape)]
    return emit.node('MaxUnpool', [g, indices, emit.ints(shape)], {
      attributes: { kernel_shape: twos, strides: twos },
    })
  },
}

/**
 * Puts each block's gradient where its maximum stood: on the CPU the first one of equals, elsewhere in equal parts on all
 * of them.
 */
export function maxPoolGradient(g: Tensor, x: Tensor, y: Tensor, indices: Tensor): Tensor {
  return apply(operator, [g, x, y, indices], undefined)
}

function withoutIndices(emit: Emitter, g: string, x: string, y: string, shape: readonly number[]): string {
  const [one, zero] = [1, 0].map((value) => emit.constant(Float32Array.of(value), []))
  const [isMaximum] = emit.node('Equal', [x, emitUpsample(emit, y, shape.length)])
  const [mask] = emit.node('Where', [isMaximum, one, zero])
  const [share] = emit.node('Div', [g, emitBlockSum(emit, mask, shape.length)])
  return emit.node('Mul', [emitUpsample(emit, share, shape.length), mask])[0]
}
