import type { Emitter } from '../graph/tensor.ts'
import { emitReshape, emitSizes } from './dynamic-shape.ts'

/**
 * Ways to compute a 3×3(×3) convolution of stride 1 with ONNX Runtime's CPU operators. What each is worth stands in
 * docs/performance.md; all give the same numbers but for round-off.
 */

interface ConvShape {
  readonly cases: number
  readonly inputs: number
  readonly outputs: number
  readonly spatial: readonly number[]
}

const BLOCKED = 'com.microsoft.nchwc'
const KERNEL = { kernel_shape: { ints: [3, 3] }, pads: { ints: [1, 1, 1, 1] } }

/**
 * 3-D as 2-D: each plane is convolved once, with three times the outputs (one set for each depth of the kernel), and
 * the three sets are added one plane apart. Every input value is gathered 9 times instead of 27, and the products have
 * three times the rows. Planes of all cases are one batch; with `block`, in blocked channels.
 */
export function convByPlanes(emit: Emitter, x: string, w: string, shape: ConvShape, block?: number): string {
  const { inputs, outputs } = shape
  const [cases, , depth, height, width] = emitSizes(emit, x, [shape.cases, inputs, ...shape.spatial])
  const swap = { attributes: { perm: { ints: [0, 2, 1, 3, 4] } } }
  const [byPlane] = emit.node('Transpose', [x], swap)
  const planes = emitReshape(emit, byPlane, [-1, inputs, height, width])
  const product = block === undefined ? plainSets(emit, planes, w, shape) : blockedSets(emit, planes, w, shape, block)
  const sets = emitReshape(emit, product, [cases, depth, 3, -1])
  // A negative pad crops: what is left of a set is moved by one plane, with zeros at the open end.
  const move = (pads: readonly number[]) => emit.node('Pad', [sets, emit.ints(pads)])[0]
  const below = move([0, 1, 0, 0, 0, -1, -2, 0])
  const here = move([0, 0, -1, 0, 0, 0, -1, 0])
  const above = move([0, -1, -2, 0, 0, 1, 0, 0])
  const [sum] = emit.node('Add', [emit.node('Add', [below, here])[0], above])
  const y = block === undefined ? sum : toPlain(emit, emitReshape(emit, sum, [-1, outputs, height, width]), outputs)
  return emit.node('Transpose', [emitReshape(emit, y, [cases, depth, outputs, height, width])], swap)[0]
}

function plainSets(emit: Emitter, planes: string, w: string, { inputs, outputs }: ConvShape): string {
  const [byDepth] = emit.node('Transpose', [w], { attributes: { perm: { ints: [2, 0, 1, 3, 4] } } })
  const kernels = emitReshape(emit, byDepth, [3 * outputs, inputs, 3, 3])
  return emit.node('Conv', [planes, kernels], { attributes: KERNEL })[0]
}

function blockedSets(emit: Emitter, planes: string, w: string, { inputs, outputs }: ConvShape, block: number): string {
  const [blockedX] = emit.node('ReorderInput', [planes], { domain: BLOCKED })
  const split = emit.ints([outputs / block, block, inputs / block, block, 3, 3, 3])
  const kernels = reorder(emit, w, split, [4, 0, 2, 5, 6, 3, 1], [3 * outputs, inputs, 3, 3])
  return blockedConv(emit, blockedX, kernels)
}

/**
 * 2-D in blocked channels: ONNX Runtime's own layout for constant weights, [n, c/b, h, w, b], which its optimiser does not
 * use for weights that change. Channels must be multiples of the block.
 */
export function convBlocked(
  emit: Emitter,
  x: string,
  w: string,
  block: number,
  { inputs, outputs }: ConvShape,
): string {
  const [blockedX] = emit.node('ReorderInput', [x], { domain: BLOCKED })
  const split = emit.ints([outputs / block, block, inputs / block, block, 3, 3])
  const kernels = reorder(emit, w, split, [0, 2, 4, 5, 3, 1], [outputs, inputs, 3, 3])
  return toPlain(emit, blockedConv(emit, blockedX, kernels), outputs)
}

function blockedConv(emit: Emitter, x: string, w: string): string {
  return emit.node('Conv', [x, w], { attributes: KERNEL, domain: BLOCKED })[0]
}

function toPlain(emit: Emitter, x: string, channels: number): string {
  const attributes = { channels: { int: channels }, channels_last: { int: 0 } }
  return emit.node('ReorderOutput', [x], { attributes, domain: BLOCKED })[0]
}

function reorder(emit: Emitter, w: string, split: string, perm: number[], shape: number[]): string {
  const [apart] = emit.node('Reshape', [w, split])
  const [mixed] = emit.node('Transpose', [apart], { attributes: { perm: { ints: perm } } })
  return emit.node('Reshape', [mixed, emit.ints(shape)])[0]
}
