import { apply, type Emitter, type Operator, type Tensor } from '../graph/tensor.ts'
import { upsample } from './upsample.ts'

const operator: Operator<undefined> = {
  name: 'blockSum',
  infer: ([{ shape, type }]) => [{ shape: shape.map((n, axis) => (axis < 2 ? n : n / 2)), type }],
  lower: (emit, [x], { inputs: [{ shape }] }) => [emitBlockSum(emit, x, shape.length)],
  gradient: ([g]) => (g === undefined ? [] : [upsample(g)]),
}

/** The sum of each 2×2(×2) block. */
export function blockSum(x: Tensor): Tensor {
  return apply(operator, [x], undefined)
}

/** The nodes of blockSum, for operators that need it in their own. */
export function emitBlockSum(emit: Emitter, x: string, rank: number): string {
  const twos = { ints: new Array<number>(rank - 2).fill(2) }
  const [mean] = emit.node('AveragePool', [x], { attributes: { kernel_shape: twos, strides: twos } })
  return emit.node('Mul', [mean, emit.constant(Float32Array.of(2 ** (rank - 2)), [])])[0]
}
