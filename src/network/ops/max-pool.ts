import { apply, formatShape, type Operator, type Tensor } from '../graph/tensor.ts'
import { fromBlocked, isBlocked, toBlocked } from './blocked-channels.ts'
import { maxPoolGradient } from './max-pool-gradient.ts'
import { emitPool } from './upsample.ts'

const operator: Operator<undefined> = {
  name: 'maxPool',
  infer: ([{ shape, type }]) => {
    const [n, c, ...spatial] = shape
    if (spatial.some((size) => size % 2 !== 0)) throw new Error(`maxPool of odd size: ${formatShape(shape)}`)
    return [{ shape: [n, c, ...spatial.map((size) => size / 2)], type }]
  },
  // Without the maxima's places, which take ONNX Runtime ten times as long and which other devices lack.
  lower: (emit, [x], { inputs: [{ shape }], outputs: [output] }) => {
    if (isBlocked(emit, x)) {
      const pooling = { planes: 'ReduceMax', pixels: 'MaxPool', blocked: true } as const
      return [fromBlocked(emit, emitPool(emit, toBlocked(emit, x, shape), shape, pooling), output.shape)]
    }
    const twos = { ints: shape.slice(2).map(() => 2) }
    return emit.node('MaxPool', [x], { attributes: { kernel_shape: twos, strides: twos } })
  },
  gradient: ([g], { inputs: [x], outputs: [y] }) => (g === undefined ? [] : [maxPoolGradient(g, x, y)]),
}

/** The largest of each 2×2(×2) block. */
export function maxPool(x: Tensor): Tensor {
  return apply(operator, [x], undefined)
}
