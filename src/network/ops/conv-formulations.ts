import { type Emitter, sizeOf } from '../graph/tensor.ts'
import {
  asImage,
  blockedDomain,
  blockedWeights,
  blockedWeightsOfAdjoint,
  fromBlocked,
  reorderOutput,
  swapPlanes,
  toBlocked,
} from './blocked-channels.ts'
import { emitReshape, emitSizes } from './dynamic-shape.ts'
import { emitFlippedKernel } from './flip-kernel.ts'
import { permuted, range } from './permuted.ts'

/**
 * Ways to compute a convolution of 3×3(×3) voxels, or of one, and stride 1 with ONNX Runtime's CPU operators. What each
 * is worth stands in docs/performance-training.md; all give the same numbers but for round-off.
 */

export interface ConvShape {
  readonly cases: number
  /** Input channels of each part of the image. */
  readonly channels: readonly number[]
  readonly outputs: number
  readonly spatial: readonly number[]
  readonly kernel: readonly number[]
  /** The weights are [inputs, outputs, …] of the convolution whose adjoint this is (flip-kernel.ts). */
  readonly adjoint: boolean
}

const convAttributes = { kernel_shape: { ints: [3, 3] }, pads: { ints: [1, 1, 1, 1] } }
const swapAxes = { attributes: { perm: { ints: [0, 2, 1, 3, 4] } } }

/**
 * 3-D as 2-D: each plane is convolved once, with three times the outputs (one set for each depth of the kernel), and
 * the three sets are added one plane apart. Every input value is gathered 9 times instead of 27, and the products have
 * three times the rows. Planes of all cases are one batch.
 */
export function convByPlanes(emit: Emitter, x: string, w: string, shape: ConvShape): string {
  const { channels, outputs } = shape
  const inputs = channels.reduce((sum, n) => sum + n)
  const [cases, , depth, height, width] = emitSizes(emit, x, [shape.cases, inputs, ...shape.spatial])
  const [byPlane] = emit.node('Transpose', [x], swapAxes)
  const planes = emitReshape(emit, byPlane, [-1, inputs, height, width])
  const kernels = reorder(emit, w, undefined, [2, 0, 1, 3, 4], [3 * outputs, inputs, 3, 3])
  const [sets] = emit.node('Conv', [planes, kernels], { attributes: convAttributes })
  const block = emit.target.channelBlock
  const size = (outputs * sizeOf(shape.spatial)) / shape.spatial[0]
  const sum =
    block !== undefined && size % block === 0
      ? sumSetsInBlocks(emit, sets, shape, block)
      : sumSets(emit, emitReshape(emit, sets, [cases, depth, 3, -1]))
  return emit.node('Transpose', [emitReshape(emit, sum, [cases, depth, outputs, height, width])], swapAxes)[0]
}

/** The same in blocked channels (see convBlocked), of each part of x by itself, added up in the sets. */
export function convByBlockedPlanes(
  emit: Emitter,
  xs: readonly string[],
  w: string,
  shape: ConvShape,
  block: number,
): string {
  const { cases, channels, outputs, spatial } = shape
  const [depth, height, width] = spatial
  // Volumes are reordered as images of depth × (height·width); then whole planes change places with blocks of channels.
  const planes = xs.map((x, part) => {
    const count = channels[part]
    const volume = [cases, count, ...spatial]
    const swapped =
      count < block
        ? emit.node('Transpose', [asImage(emit, x, volume)], { attributes: { perm: { ints: [0, 2, 1, 3] } } })[0]
        : swapPlanes(emit, toBlocked(emit, x, volume), [cases, count / block, depth])
    return emit.node('Reshape', [swapped, emit.ints([cases * depth, count, height, width])])[0]
  })
  const kernels = blockedKernels(emit, w, shape, block)
  const sum = sumSetsInBlocks(emit, blockedConv(emit, planes, kernels), shape, block)
  const image = emit.ints([cases, outputs, depth, height * width])
  const [blocked] = emit.node('Reshape', [swapPlanes(emit, sum, [cases, depth, outputs / block]), image])
  return fromBlocked(emit, blocked, [cases, outputs, ...spatial])
}

/** Σ over k of set k of plane d + k − 1, for sets [cases, depth, 3, …]. */
function sumSets(emit: Emitter, sets: string): string {
  // A negative pad crops: what is left of a set is moved by one plane, with zeros at the open end.
  const move = (pads: readonly number[]) => emit.node('Pad', [sets, emit.ints(pads)])[0]
  const below = move([0, 1, 0, 0, 0, -1, -2, 0])
  const here = move([0, 0, -1, 0, 0, 0, -1, 0])
  const above = move([0, -1, -2, 0, 0, 1, 0, 0])
  return emit.node('Add', [emit.node('Add', [below, here])[0], above])[0]
}

/**
 * The same in one pass and without copies. In the rows of sets (three of plane 0, three of plane 1, …) plane d needs
 * rows 3d − 3, 3d + 1 and 3d + 5: a convolution by ones with stride 3 and dilation 4, of each number by itself. For
 * that the runtime may take any `block` neighbours for channels.
 */
function sumSetsInBlocks(emit: Emitter, sets: string, { cases, outputs, spatial }: ConvShape, block: number): string {
  const [depth, height, width] = spatial
  const [rows] = emit.node('Reshape', [sets, emit.ints([cases, block, 3 * depth, (outputs * height * width) / block])])
  const ones = emit.constant(new Float32Array(3 * block).fill(1), [block, 1, 3, 1])
  const attributes = {
    group: { int: block },
    kernel_shape: { ints: [3, 1] },
    strides: { ints: [3, 1] },
    dilations: { ints: [4, 1] },
    pads: { ints: [3, 0, 3, 0] },
  }
  return emit.node('Conv', [rows, ones], { attributes, domain: blockedDomain })[0]
}

/**
 * 2-D in blocked channels: ONNX Runtime's own layout for constant weights, [n, c/b, h, w, b], which its optimiser
 * does not use for weights that change. Channels must be multiples of the block.
 */
export function convBlocked(emit: Emitter, xs: readonly string[], w: string, shape: ConvShape, block: number): string {
  const { cases, channels, outputs, spatial } = shape
  const images = xs.map((x, part) =>
    channels[part] < block ? x : toBlocked(emit, x, [cases, channels[part], ...spatial]),
  )
  return fromBlocked(emit, blockedConv(emit, images, blockedKernels(emit, w, shape, block)), [
    cases,
    outputs,
    ...spatial,
  ])
}

/**
 * A kernel of one voxel in blocked channels. Outputs are filled up with zeros to whole blocks; inputs fewer than a
 * block are read as they are.
 */
export function convPointwise(emit: Emitter, x: string, w: string, shape: ConvShape, block: number): string {
  const { cases, channels, outputs, spatial, adjoint } = shape
  const [inputs] = channels
  const filled = Math.ceil(outputs / block) * block
  const zeros = shape.kernel.map(() => 0)
  const more = adjoint ? [0, filled - outputs] : [filled - outputs, 0]
  const full = filled === outputs ? w : emit.node('Pad', [w, emit.ints([0, 0, ...zeros, ...more, ...zeros])])[0]
  const [kernels] = blockedKernels(emit, full, { ...shape, outputs: filled }, block)
  const image = [cases, inputs, ...spatial]
  const read = inputs < block ? asImage(emit, x, image) : toBlocked(emit, x, image)
  const [y] = emit.node('Conv', [read, kernels], {
    attributes: { kernel_shape: { ints: [1, 1] } },
    domain: blockedDomain,
  })
  const result = [cases, outputs, ...spatial]
  if (filled === outputs) return fromBlocked(emit, y, result)
  return emit.node('Reshape', [reorderOutput(emit, y, outputs), emit.ints(result)])[0]
}

/** Σ of the convolutions of all parts: each after the first adds to what is there. */
function blockedConv(emit: Emitter, parts: readonly string[], kernels: readonly string[]): string {
  const convolve = (x: string, w: string, before: readonly string[]) =>
    emit.node('Conv', [x, w, ...before], { attributes: convAttributes, domain: blockedDomain })[0]
  // The input between weights and sum is a bias, left out.
  return parts
    .slice(1)
    .reduce((sum, x, i) => convolve(x, kernels[i + 1], ['', sum]), convolve(parts[0], kernels[0], []))
}

/** Weights for each part of the input as the blocked Conv reads them; a 3-D kernel's planes become sets of outputs. */
function blockedKernels(emit: Emitter, w: string, shape: ConvShape, block: number): readonly string[] {
  const { channels, outputs, kernel, adjoint } = shape
  const planes = kernel.slice(0, -2)
  const [height, width] = kernel.slice(-2)
  const parts =
    channels.length === 1
      ? [w]
      : emit.node('Split', [w, emit.ints(channels)], { attributes: { axis: { int: 1 } }, outputs: channels.length })
  return parts.map((part, i) => {
    const count = channels[i]
    const result = [sizeOf(planes) * outputs, count, height, width]
    if (count < block) {
      const plain = adjoint ? emitFlippedKernel(emit, part, [count, outputs, ...kernel]) : part
      const perm = [...planes.map(() => 3), 0, 2, ...[3, 4].map((axis) => axis + planes.length), 1]
      return reorder(emit, plain, [outputs / block, block, count, ...kernel], perm, result)
    }
    const size = sizeOf(kernel)
    const sizes = [outputs, count, size] as const
    const blocks = adjoint ? blockedWeightsOfAdjoint(emit, part, sizes, block) : blockedWeights(emit, part, sizes)
    const [outputBlocks, inputBlocks] = [outputs / block, count / block]
    const order = range(sizeOf(planes)).flatMap((plane) =>
      range(outputBlocks).flatMap((o) =>
        range(inputBlocks).flatMap((c) =>
          range(height * width).map((pixel) => {
            const offset = plane * height * width + pixel
            return adjoint ? (c * outputBlocks + o) * size + size - 1 - offset : (o * inputBlocks + c) * size + offset
          }),
        ),
      ),
    )
    return permuted(emit, blocks, block * block, order, result)
  })
}

/**
 * Weights with their axes split (where `split` is given), permuted by `perm`, and reshaped to what the operator
 * reads.
 */
function reorder(emit: Emitter, w: string, split: number[] | undefined, perm: number[], shape: number[]): string {
  const apart = split === undefined ? w : emit.node('Reshape', [w, emit.ints(split)])[0]
  const [mixed] = emit.node('Transpose', [apart], { attributes: { perm: { ints: perm } } })
  return emit.node('Reshape', [mixed, emit.ints(shape)])[0]
}
