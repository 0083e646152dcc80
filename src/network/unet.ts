import type { Tensor } from './graph/tensor.ts'
import { add } from './ops/add.ts'
import { channelsOf, conv } from './ops/conv.ts'
import { convDown, convUp } from './ops/conv-halving.ts'
import { instanceNorm } from './ops/instance-norm.ts'
import { maxPool } from './ops/max-pool.ts'
import { reshape } from './ops/reshape.ts'
import { upsample } from './ops/upsample.ts'

export interface UNetPlan {
  readonly dimensions: 2 | 3
  readonly inputChannels: number
  /** Sigmoid outputs: one probability map each. They may overlap. */
  readonly outputs: number
  /** Channels of each level, full size first; each level has half the size of the one before. */
  readonly channels: readonly number[]
  /** Convolutions of a level on the way down and again on the way up. */
  readonly convolutions: number
  readonly down: 'max-pool' | 'strided'
  readonly up: 'transposed' | 'resize'
}

export interface ParameterSpec {
  readonly name: string
  readonly shape: readonly number[]
  readonly start:
    | { readonly kind: 'normal'; readonly deviation: number }
    | { readonly kind: 'constant'; readonly value: number }
  /** Weight decay is for weights, not for scales and biases. */
  readonly decays: boolean
}

/** Gives the tensor that stands for a parameter: a slice of the trained vector, or a constant of a finished model. */
export type ParameterSource = (spec: ParameterSpec) => Tensor

const leakySlope = 0.01
/** He's initialisation for leaky ReLU: keeps the variance of activations from layer to layer. */
const heDeviation = (inputs: number) => Math.sqrt(2 / (1 + leakySlope ** 2) / inputs)

/** How many voxels the image's size along every axis must be a multiple of. */
export function sizeMultiple(plan: UNetPlan): number {
  return 2 ** (plan.channels.length - 1)
}

/**
 * A U-Net (Ronneberger et al. 2015) with instance norm and leaky ReLU, as in nnU-Net: image [cases, inputChannels,
 * (depth,) height, width] to logits [cases, outputs, …].
 */
export function unet(plan: UNetPlan, image: Tensor, parameter: ParameterSource): Tensor {
  const { dimensions, channels, convolutions } = plan
  const kernel = (size: number) => new Array<number>(dimensions).fill(size)
  const weight = (name: string, outputs: number, inputs: number, size: number, fan = inputs * size ** dimensions) =>
    parameter({
      name: `${name}.weight`,
      shape: [outputs, inputs, ...kernel(size)],
      start: { kind: 'normal', deviation: heDeviation(fan) },
      decays: true,
    })
  const vector = (name: string, size: number, value: number) =>
    parameter({ name, shape: [size], start: { kind: 'constant', value }, decays: false })
  const addBias = (x: Tensor, name: string) => {
    const bias = vector(`${name}.bias`, x.shape[1], 0)
    return add(x, reshape(bias, [1, x.shape[1], ...kernel(1)]))
  }
  const activate = (x: Tensor, name: string) => {
    const scale = vector(`${name}.norm.scale`, x.shape[1], 1)
    return instanceNorm(x, scale, vector(`${name}.norm.bias`, x.shape[1], 0), leakySlope)
  }
  const level = (start: readonly Tensor[], name: string, size: number) => {
    let parts = start
    for (let i = 0; i < convolutions; i++) {
      parts = [activate(conv(parts, weight(`${name}.${i}`, size, channelsOf(parts), 3)), `${name}.${i}`)]
    }
    return parts[0]
  }
  const goDown = (x: Tensor, name: string, size: number) =>
    plan.down === 'max-pool' ? maxPool(x) : activate(convDown(x, weight(name, size, x.shape[1], 2)), name)
  const goUp = (x: Tensor, name: string, size: number) => {
    if (plan.up === 'resize') return upsample(addBias(conv([x], weight(name, size, x.shape[1], 1)), name))
    // A pixel of the result sees one weight of each input channel.
    return convUp(x, weight(name, x.shape[1], size, 2, x.shape[1]), vector(`${name}.bias`, size, 0))
  }

  const skips: Tensor[] = []
  let x = image
  for (const [i, size] of channels.entries()) {
    if (i > 0) {
      skips.push(x)
      x = goDown(x, `down${i}`, size)
    }
    x = level([x], `encoder${i}`, size)
  }
  for (let i = channels.length - 2; i >= 0; i--) {
    const above = goUp(x, `up${i}`, channels[i])
    x = level([skips[i], above], `decoder${i}`, channels[i])
  }
  return addBias(conv([x], weight('output', plan.outputs, x.shape[1], 1)), 'output')
}
