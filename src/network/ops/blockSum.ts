import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { upsample } from './upsample.ts'

const operator: Operator<undefined> = {
  name: 'blockSum',
  infer: ([{ shape, type }]) => [{ shape: shape.map((n, axis) => (axis < 2 ? n : n / 2)), type }],
  lower: (emit, [x], { inputs: [{ shape }] }) => {
    const twos = { ints: shape.slice(2).map(() => 2) }
    const [mean] = emit.node('AveragePool', [x], { attributes: { kernel_shape: twos, strides: twos } })
    return emit.node('Mul', [mean, emit.constant(Float32Array.of(2 ** (shape.length - 2)), [])])
  },
  gradient: ([g]) => (g === undefined ? [] : [upsample(g)]),
}

/** The sum of each 2×2(×2) block. */
export function blockSum(x: Tensor): Tensor {
  return apply(operator, [x], undefined)
}
