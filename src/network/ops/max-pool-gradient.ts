import { apply, type Emitter, type Operator, type Tensor } from '../graph/tensor.ts'
import { dataTypes } from '../onnx/model.ts'
import { affineChannels, fromBlocked, isBlocked, toBlocked } from './blocked-channels.ts'
import { emitBlockSum, emitUpsample } from './upsample.ts'

const operator: Operator<undefined> = {
  name: 'maxPoolGradient',
  infer: ([, x]) => [{ shape: x.shape, type: x.type }],
  lower: (emit, names, { inputs: [, { shape }, { shape: coarse }] }) => {
    const blocked = isBlocked(emit, names[1])
    const [g, x, y] = blocked ? names.map((name, i) => toBlocked(emit, name, i === 1 ? shape : coarse)) : names
    const mask = maxima(emit, [x, emitUpsample(emit, y, coarse, blocked)], shape, blocked)
    const [share] = emit.node('Div', [g, emitBlockSum(emit, mask, shape, blocked)])
    const [dx] = emit.node('Mul', [emitUpsample(emit, share, coarse, blocked), mask])
    return [blocked ? fromBlocked(emit, dx, shape) : dx]
  },
}

/** 1 where x is its block's maximum, else 0. */
function maxima(
  emit: Emitter,
  [x, maximum]: readonly [string, string],
  shape: readonly number[],
  blocked: boolean,
): string {
  if (!blocked) {
    const [isMaximum] = emit.node('Equal', [x, maximum])
    return emit.node('Cast', [isMaximum], { attributes: { to: { int: dataTypes.float32 } } })[0]
  }
  // x less its block's maximum is 0 or below; times the largest float, plus 1 and cut to [0, 1], that is the mask. Cast
  // would take as long as all of it, number by number.
  const channels = [shape[0] * shape[1]]
  const filled = (value: number) => emit.constant(new Float32Array(channels[0]).fill(value), channels)
  const [less] = emit.node('Sub', [x, maximum])
  const activation = { name: 'Clip', parameters: [0, 1] } as const
  return affineChannels(emit, [less, filled(3e38), filled(1)], shape, { activation })
}

/** Puts each block's gradient where its maximum stands, in equal parts on all of them where there are several. */
export function maxPoolGradient(g: Tensor, x: Tensor, y: Tensor): Tensor {
  return apply(operator, [g, x, y], undefined)
}
