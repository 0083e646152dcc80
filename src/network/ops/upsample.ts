import { apply, type Emitter, type Operator, type Tensor } from '../graph/tensor.ts'

// Each operator here is the other's gradient.

const upsampling: Operator<undefined> = {
  name: 'upsample',
  infer: ([{ shape, type }]) => [{ shape: shape.map((n, axis) => (axis < 2 ? n : 2 * n)), type }],
  lower: (emit, [x], { inputs: [{ shape }] }) => [
    emit.target.purpose === 'inference' ? resize(emit, x, shape.length) : emitUpsample(emit, x, shape),
  ],
  gradient: ([g]) => (g === undefined ? [] : [blockSum(g)]),
}

/** Repeats each pixel 2×2(×2) times. */
export function upsample(x: Tensor): Tensor {
  return apply(upsampling, [x], undefined)
}

/** The nodes of upsample for a fixed shape, for operators that need it in their own. */
export function emitUpsample(emit: Emitter, x: string, shape: readonly number[]): string {
  if (shape.length === 4) return resize(emit, x, 4)
  // ONNX Runtime resizes images 40 times faster than volumes: plane by plane, then each plane twice.
  const [n, c, depth, height, width] = shape
  const [planes] = emit.node('Reshape', [x, emit.ints([n, c * depth, height, width])])
  const [rows] = emit.node('Reshape', [resize(emit, planes, 4), emit.ints([n * c * depth, 4 * height * width])])
  const [twice] = emit.node('Concat', [rows, rows], { attributes: { axis: { int: 1 } } })
  return emit.node('Reshape', [twice, emit.ints([n, c, 2 * depth, 2 * height, 2 * width])])[0]
}

function resize(emit: Emitter, x: string, rank: number): string {
  const scales = emit.constant(
    Float32Array.from({ length: rank }, (_, axis) => (axis < 2 ? 1 : 2)),
    [rank],
  )
  const attributes = {
    mode: { string: 'nearest' },
    nearest_mode: { string: 'floor' },
    coordinate_transformation_mode: { string: 'asymmetric' },
  }
  return emit.node('Resize', [x, '', scales], { attributes })[0]
}

const blockSumming: Operator<undefined> = {
  name: 'blockSum',
  infer: ([{ shape, type }]) => [{ shape: shape.map((n, axis) => (axis < 2 ? n : n / 2)), type }],
  lower: (emit, [x], { inputs: [{ shape }] }) => [emitBlockSum(emit, x, shape)],
  gradient: ([g]) => (g === undefined ? [] : [upsample(g)]),
}

/** The sum of each 2×2(×2) block. */
export function blockSum(x: Tensor): Tensor {
  return apply(blockSumming, [x], undefined)
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
