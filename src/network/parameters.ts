import { randomStream } from '../volume/random.ts'
import { sizeOf, type Tensor } from './graph/tensor.ts'
import { split } from './ops/concat.ts'
import { constant } from './ops/constant.ts'
import { input } from './ops/input.ts'
import { reshape } from './ops/reshape.ts'
import { type ParameterSource, type ParameterSpec, sizeMultiple, type UNetPlan, unet } from './unet.ts'

/** The parameters of a net in the order in which they lie in its flat vector. */
export function listParameters(plan: UNetPlan): ParameterSpec[] {
  const specs: ParameterSpec[] = []
  const smallest = new Array<number>(plan.dimensions).fill(sizeMultiple(plan))
  unet(plan, input([1, plan.inputChannels, ...smallest]), (spec) => {
    specs.push(spec)
    return input(spec.shape)
  })
  return specs
}

export function countParameters(specs: readonly ParameterSpec[]): number {
  return specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}

/**
 * Where training starts. The output bias is the log-odds of each output's share of voxels, so that the first
 * prediction is the class prior; started at ½, cross-entropy spends its first hundreds of steps getting there.
 */
export function initialParameters(plan: UNetPlan, priors: readonly number[], seed: number): Float32Array {
  const specs = listParameters(plan)
  const flat = new Float32Array(countParameters(specs))
  const random = randomStream(seed, 'parameters')
  let offset = 0
  for (const { name, shape, start } of specs) {
    const part = flat.subarray(offset, (offset += sizeOf(shape)))
    if (name === 'output.bias') part.set(priors.map(logOdds))
    else if (start.kind === 'constant') part.fill(start.value)
    else for (let i = 0; i < part.length; i++) part[i] = start.deviation * random.normal()
  }
  return flat
}

/** Parameters as parts of one flat tensor. */
export function splitParameters(flat: Tensor, specs: readonly ParameterSpec[]): ParameterSource {
  const sizes = specs.map(({ shape }) => sizeOf(shape))
  const parts = split(flat, 0, sizes)
  let next = 0
  return ({ shape }) => reshape(parts[next++], shape)
}

/** Parameters as constants. */
export function constantParameters(flat: Float32Array): ParameterSource {
  let offset = 0
  return ({ shape }) => constant(flat.subarray(offset, (offset += sizeOf(shape))), shape)
}

/** A prior of 0 or 1 would start an output where its gradient vanishes; 10⁻⁴ is rarer than any class worth training. */
function logOdds(prior: number): number {
  const p = Math.min(0.5, Math.max(1e-4, prior))
  return Math.log(p / (1 - p))
}
