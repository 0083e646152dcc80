import { apply, type Emitter, type Operator, type Tensor } from '../graph/tensor.ts'
import { upsample } from './upsample.ts'

const operator: Operator<undefined> = {
  name: 'blockSum',
  infer: ([{ shape, type }]) => [{ shape: shape.map((n, axis) => (axis < 2 ? n : n / 2)), type }],
  lower: (emit, [x], { inputs: [{ shape }] }) => [emitBlockSum(emit, x, shape)],
  gradient: ([g]) => (g === undefined ? [] : [upsample(g)]),
}

/** The sum of each 2×2(×2) block. */
export function blockSum(x: Tensor): Tensor {
  return apply(operator, [x], undefined)
}

/** The nodes of blockSum, for operators that need it in their own. */
export function emitBlockSum(emit: Emitter, x: string, shape: readonly number[]): string {
  const [n, c, ...spatial] = shape
  if (spatial.length === 2) return planeSum(emit, x)
  // Pairs of planes first: a quarter of the time of ONNX Runtime's 3-D pooling.
  const [depth, height, width] = spatial
  const [pairs] = emit.node('Reshape', [x, emit.ints([(n * c * depth) / 2, 2, height * width])])
  const [sums] = emit.node('ReduceSum', [pairs, emit.ints([1])])
  const [planes] = emit.node('Reshape', [sums, emit.ints([n, (c * depth) / 2, height, width])])
  return emit.node('Reshape', [planeSum(emit, planes), emit.ints([n, c, depth / 2, height / 2, width / 2])])[0]
}

function planeSum(emit: Emitter, x: string): string {
  const twos = { ints: [2, 2] }
  const [mean] = emit.node('AveragePool', [x], { attributes: { kernel_shape: twos, strides: twos } })
  return emit.node('Mul', [mean, emit.constant(Float32Array.of(4), [])])[0]
}
