import type { Emitter } from '../graph/tensor.ts'
import { emitReshape } from './dynamic-shape.ts'

// ONNX Runtime's layout of channels in blocks: [n, c/b, h, w, b] under the shape [n, c, h, w]; a volume is an image of
// depth × (height·width). Convolutions are fastest in it. An operator that computes in it says so here, and the next
// that can read it does: the way out and back is then never gone.

export const blockedDomain = 'com.microsoft.nchwc'

/** The number of channels in a block, where so many channels may be put into blocks. */
export function blockOf({ target }: Emitter, channels: number): number | undefined {
  const { device, channelBlock } = target
  return device === 'cpu' && channelBlock !== undefined && channels % channelBlock === 0 ? channelBlock : undefined
}

/** Whether x was computed in blocked channels. */
export function isBlocked(emit: Emitter, x: string): boolean {
  return emit.blockedValues.has(x)
}

/** x [n, c, …] in blocked channels. */
export function toBlocked(emit: Emitter, x: string, shape: readonly number[], { anew = false } = {}): string {
  return (
    emit.blockedValues.get(x) ??
    emit.node('ReorderInput', [asImage(emit, x, shape)], { domain: blockedDomain, anew })[0]
  )
}

/** A result of shape [n, c, …] that was computed in blocked channels, for operators that do not read them. */
export function fromBlocked(emit: Emitter, blocked: string, shape: readonly number[]): string {
  const plain = reorderOutput(emit, blocked, shape[1])
  const result = shape.length === 4 ? plain : emit.node('Reshape', [plain, emit.ints(shape)])[0]
  emit.blockedValues.set(result, blocked)
  return result
}

export function reorderOutput(emit: Emitter, x: string, channels: number): string {
  const attributes = { channels: { int: channels }, channels_last: { int: 0 } }
  return emit.node('ReorderOutput', [x], { attributes, domain: blockedDomain })[0]
}

/** x [n, c, …] as the image that stands for it in blocked channels. */
export function asImage(emit: Emitter, x: string, shape: readonly number[]): string {
  return shape.length === 4 ? x : emit.node('Reshape', [x, emit.ints(imageShape(shape))])[0]
}

export function imageShape(shape: readonly number[]): readonly number[] {
  const [n, c, ...spatial] = shape
  const [first, ...others] = spatial
  return spatial.length === 2 ? shape : [n, c, first, others.reduce((product, size) => product * size, 1)]
}

/** Blocks of channels and planes change places, whole ones: x [n, from, to, …] to [n, to, from, …], in either order. */
export function swapPlanes(
  emit: Emitter,
  x: string,
  [n, from, to]: readonly [n: number, from: number, to: number],
): string {
  if (from === 1 || to === 1) return x
  const rows = emitReshape(emit, x, [n, from, to, -1])
  return emit.node('Transpose', [rows], { attributes: { perm: { ints: [0, 2, 1, 3] } } })[0]
}

interface AffineOptions {
  /** What is added, in blocked channels. */
  readonly plus?: string
  /** What follows in the same pass: LeakyRelu of a slope, or Clip to two bounds. */
  readonly activation?: { readonly name: 'LeakyRelu' | 'Clip'; readonly parameters: readonly number[] }
}

/**
 * Each channel of each case of x (blocked) times its own number, plus another, in one pass: a convolution by one number
 * a channel. factors and terms: [n·c].
 */
export function affineChannels(
  emit: Emitter,
  [x, factors, terms]: readonly [x: string, factors: string, terms?: string],
  shape: readonly number[],
  { plus, activation }: AffineOptions = {},
): string {
  const [n, c, first, rest] = imageShape(shape)
  // The channels of all cases are those of one image.
  const image = [1, n * c, first, rest]
  const inputs = [emitReshape(emit, x, image), emitReshape(emit, factors, [n * c, 1, 1, 1])]
  if (terms !== undefined || plus !== undefined)
    inputs.push(terms === undefined ? '' : emitReshape(emit, terms, [n * c]))
  if (plus !== undefined) inputs.push(emitReshape(emit, plus, image))
  const [result] = emit.node('Conv', inputs, {
    domain: blockedDomain,
    attributes: {
      kernel_shape: { ints: [1, 1] },
      group: { int: n * c },
      ...(activation && {
        activation: { string: activation.name },
        activation_params: { floats: activation.parameters },
      }),
    },
  })
  return emitReshape(emit, result, imageShape(shape))
}

/** Σ over the voxels of each channel of each case of x (blocked): [n, c, 1]. */
export function sumChannels(emit: Emitter, x: string, shape: readonly number[]): string {
  const [n, c, first, rest] = imageShape(shape)
  const block = emit.target.channelBlock ?? 1
  // In two steps, which are as fast and whose sums are more accurate.
  const [rows] = emit.node('Reshape', [x, emit.ints([(n * c * first) / block, rest, block])])
  return sumSlices(emit, emit.node('ReduceSum', [rows, emit.ints([1])])[0], shape)
}

/**
 * The same of a·b, without writing a·b: a convolution of each row of channels' voxels by a kernel as long, whose result
 * is one number.
 */
export function sumProducts(emit: Emitter, [a, b]: readonly [string, string], shape: readonly number[]): string {
  const [n, c, first, rest] = imageShape(shape)
  const groups = n * c * first
  const [rows] = emit.node('Reshape', [a, emit.ints([1, groups, 1, rest])])
  const [kernels] = emit.node('Reshape', [b, emit.ints([groups, 1, 1, rest])])
  const attributes = { kernel_shape: { ints: [1, rest] }, group: { int: groups } }
  return sumSlices(emit, emit.node('Conv', [rows, kernels], { attributes, domain: blockedDomain })[0], shape)
}

/** Sums of the slices [n·c/b, first, b] of every channel to [n, c, 1]. */
function sumSlices(emit: Emitter, sums: string, shape: readonly number[]): string {
  const [n, c, first] = imageShape(shape)
  const block = emit.target.channelBlock ?? 1
  const [slices] = emit.node('Reshape', [sums, emit.ints([(n * c) / block, first, block])])
  const [all] = emit.node('ReduceSum', [slices, emit.ints([1])])
  return emit.node('Reshape', [all, emit.ints([n, c, 1])])[0]
}

/** What is computed number by number from values of one shape: in blocked channels where one of them is. */
export function elementwise(
  emit: Emitter,
  values: readonly string[],
  shape: readonly number[],
  compute: (values: readonly string[]) => string,
): string {
  if (!values.some((value) => isBlocked(emit, value))) return compute(values)
  return fromBlocked(emit, compute(values.map((value) => toBlocked(emit, value, shape))), shape)
}

/** Weights [outputs, inputs, offsets…] as [outputs/b, inputs/b, offsets, b (in), b (out)]. */
export function blockedWeights(
  emit: Emitter,
  w: string,
  [outputs, inputs, offsets]: readonly [outputs: number, inputs: number, offsets: number],
): string {
  // By the runtime's own reordering, of inputs and then of outputs. In one transposition numbers would move one by one,
  // at a tenth of the speed.
  const byInput = reordered(emit, w, [outputs, inputs, offsets, 1])
  return reordered(emit, byInput, [1, outputs, inputs * offsets, 1])
}

/** The same of weights [inputs, outputs, offsets]: [inputs/b, outputs/b, offsets, b (in), b (out)]. */
export function blockedWeightsOfAdjoint(
  emit: Emitter,
  w: string,
  [outputs, inputs, offsets]: readonly [outputs: number, inputs: number, offsets: number],
  block: number,
): string {
  const byInput = reordered(emit, w, [1, inputs, outputs * offsets, 1])
  return reordered(emit, byInput, [inputs / block, outputs, offsets * block, 1])
}

function reordered(emit: Emitter, x: string, image: readonly number[]): string {
  return toBlocked(emit, emit.node('Reshape', [x, emit.ints(image)])[0], image)
}
