import { apply, type Emitter, type Operator, type Tensor } from '../graph/tensor.ts'
import { blockedDomain, imageShape } from './blocked-channels.ts'

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

/** The nodes of upsample for a fixed shape, for operators that need it in their own; x may be `blocked`. */
export function emitUpsample(emit: Emitter, x: string, shape: readonly number[], blocked = false): string {
  const larger = (planes: string) =>
    blocked
      ? emit.node('Upsample', [planes], { attributes: { scales: { ints: [1, 1, 2, 2] } }, domain: blockedDomain })[0]
      : resize(emit, planes, 4)
  if (shape.length === 4) return larger(x)
  // ONNX Runtime resizes images 40 times faster than volumes: plane by plane, then each plane twice.
  const [n, c, depth, height, width] = shape
  const block = blocked ? (emit.target.channelBlock ?? 1) : 1
  const [planes] = emit.node('Reshape', [x, emit.ints([n, c * depth, height, width])])
  const [rows] = emit.node('Reshape', [
    larger(planes),
    emit.ints([(n * c * depth) / block, 4 * height * width * block]),
  ])
  const [twice] = emit.node('Concat', [rows, rows], { attributes: { axis: { int: 1 } } })
  const result = [n, c, 2 * depth, 2 * height, 2 * width]
  return emit.node('Reshape', [twice, emit.ints(blocked ? imageShape(result) : result)])[0]
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

/** The nodes of blockSum, for operators that need it in their own; x may be `blocked`. */
export function emitBlockSum(emit: Emitter, x: string, shape: readonly number[], blocked = false): string {
  const sums = emitPool(emit, x, shape, { planes: 'ReduceSum', pixels: 'AveragePool', blocked })
  return emit.node('Mul', [sums, emit.constant(Float32Array.of(4), [])])[0]
}

interface Pooling {
  readonly planes: 'ReduceSum' | 'ReduceMax'
  readonly pixels: 'AveragePool' | 'MaxPool'
  readonly blocked: boolean
}

/** Each 2×2(×2) block to one number, pairs of planes first: a quarter of the time of ONNX Runtime's 3-D pooling. */
export function emitPool(
  emit: Emitter,
  x: string,
  shape: readonly number[],
  { planes: overPlanes, pixels, blocked }: Pooling,
): string {
  const twos = { ints: [2, 2] }
  const options = {
    attributes: { kernel_shape: twos, strides: twos },
    ...(blocked && { domain: blockedDomain }),
  }
  const [n, c, ...spatial] = shape
  if (spatial.length === 2) return emit.node(pixels, [x], options)[0]
  const [depth, height, width] = spatial
  const block = blocked ? (emit.target.channelBlock ?? 1) : 1
  const [pairs] = emit.node('Reshape', [x, emit.ints([(n * c * depth) / (2 * block), 2, height * width * block])])
  const [half] = emit.node(overPlanes, [pairs, emit.ints([1])])
  const [planes] = emit.node('Reshape', [half, emit.ints([n, (c * depth) / 2, height, width])])
  const result = [n, c, depth / 2, height / 2, width / 2]
  const [pooled] = emit.node(pixels, [planes], options)
  return emit.node('Reshape', [pooled, emit.ints(blocked ? imageShape(result) : result)])[0]
}
