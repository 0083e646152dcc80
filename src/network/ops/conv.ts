import { apply, type Emitter, formatShape, type Operator, type Tensor } from '../graph/tensor.ts'
import { cut, join } from './concat.ts'
import { type ConvShape, convBlocked, convByBlockedPlanes, convByPlanes, convPointwise } from './conv-formulations.ts'
import { convWeightGradient } from './conv-weight-gradient.ts'
import { emitFlippedKernel } from './flip-kernel.ts'

/** Inputs: the parts of the image, then the weights. */
const operator: Operator<undefined> = {
  name: 'conv',
  infer: (inputs) => {
    const [parts, w] = [inputs.slice(0, -1), inputs[inputs.length - 1]]
    const [x] = parts
    const [outputs, channels, ...kernel] = w.shape
    if (w.shape.length !== x.shape.length || channelsOf(parts) !== channels || kernel.some((k) => k % 2 === 0)) {
      throw new Error(`conv of ${parts.map((part) => formatShape(part.shape))} with ${formatShape(w.shape)}`)
    }
    return [{ shape: [x.shape[0], outputs, ...x.shape.slice(2)], type: x.type }]
  },
  lower: (emit, names, { inputs }) => {
    const [cases, , ...spatial] = inputs[0].shape
    const [outputs, , ...kernel] = inputs[inputs.length - 1].shape
    const channels = inputs.slice(0, -1).map(({ shape }) => shape[1])
    const size = { cases, channels, outputs, spatial, kernel, adjoint: false }
    return [convolve(emit, names.slice(0, -1), names[names.length - 1], size)]
  },
  gradient: ([g], { inputs }) => {
    if (g === undefined) return []
    const xs = inputs.slice(0, -1)
    const w = inputs[inputs.length - 1]
    const channels = xs.map(({ shape }) => shape[1])
    return [...xs.map((_, part) => convAdjoint(g, w, channels, part)), convWeightGradient(xs, g, w.shape.slice(2))]
  },
}

interface Adjoint {
  /** Channels of each part of the image, and which part this is. */
  readonly channels: readonly number[]
  readonly part: number
}

const adjointOperator: Operator<Adjoint> = {
  name: 'convAdjoint',
  infer: ([{ shape, type }], { channels, part }) => [{ shape: [shape[0], channels[part], ...shape.slice(2)], type }],
  lower: (emit, [g, w], { inputs: [{ shape }, { shape: wShape }], attributes: { channels, part } }) => {
    const [cases, gChannels, ...spatial] = shape
    const [, total, ...kernel] = wShape
    const adjointOf = (weights: string, outputs: number) =>
      convolve(emit, [g], weights, { cases, channels: [gChannels], outputs, spatial, kernel, adjoint: true })
    // On the CPU the parts one by one are faster, and are kept less long. Elsewhere every operator costs time to start:
    // there, one for all parts, which all of them name and the emitter writes once.
    return emit.target.device === 'cpu'
      ? [adjointOf(cut(emit, w, 1, channels)[part], channels[part])]
      : [cut(emit, adjointOf(w, total), 1, channels)[part]]
  },
}

/** The fastest way there is for the device, the kernel and the numbers of channels. */
function convolve(emit: Emitter, xs: readonly string[], w: string, shape: ConvShape): string {
  const { channels, outputs, kernel, adjoint } = shape
  const { device, channelBlock: block } = emit.target
  const ofThrees = kernel.every((k) => k === 3)
  if (device === 'cpu' && block !== undefined) {
    const fits = inputsFit(channels, block)
    if (fits && ofThrees && outputs % block === 0) {
      return kernel.length === 3
        ? convByBlockedPlanes(emit, xs, w, shape, block)
        : convBlocked(emit, xs, w, shape, block)
    }
    const someBlocked = channels[0] >= block || outputs % block === 0
    if (fits && kernel.every((k) => k === 1) && channels.length === 1 && someBlocked) {
      return convPointwise(emit, xs[0], w, shape, block)
    }
  }
  const plain = adjoint ? emitFlippedKernel(emit, w, [channels[0], outputs, ...kernel]) : w
  if (device === 'cpu' && kernel.length === 3 && ofThrees) {
    return convByPlanes(emit, join(emit, xs, 1), plain, shape)
  }
  const pads = kernel.map((k) => (k - 1) / 2)
  const attributes = { kernel_shape: { ints: kernel }, pads: { ints: [...pads, ...pads] } }
  return emit.node('Conv', [join(emit, xs, 1), plain], { attributes })[0]
}

/**
 * Cross-correlation of x [cases, in, …] with w [out, in, kernel…] (odd kernel sizes, stride 1), zeros beyond the
 * border, so that the image keeps its size. The channels of x may come in several parts.
 */
export function conv(parts: readonly Tensor[], w: Tensor): Tensor {
  return apply(operator, [...parts, w], undefined)
}

/** The gradient of conv along a part of its image, from its result's gradient g: conv with w turned round. */
function convAdjoint(g: Tensor, w: Tensor, channels: readonly number[], part: number): Tensor {
  return apply(adjointOperator, [g, w], { channels, part })
}

export function channelsOf(parts: readonly Tensor[]): number {
  return parts.reduce((sum, { shape }) => sum + shape[1], 0)
}

/** Whole blocks; a single part may also have fewer channels than a block, which the runtime then reads as they are. */
function inputsFit(channels: readonly number[], block: number): boolean {
  return channels.every((n) => n % block === 0) || (channels.length === 1 && channels[0] < block)
}
