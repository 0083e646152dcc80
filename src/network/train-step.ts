import { compile, type GraphPlan } from './graph/compile.ts'
import { gradients } from './graph/gradients.ts'
import { sizeOf, type Target, type Tensor } from './graph/tensor.ts'
import { type LossPlan, loss } from './losses.ts'
import { encodeModel } from './onnx/encode.ts'
import { concat } from './ops/concat.ts'
import { input } from './ops/input.ts'
import { reshape } from './ops/reshape.ts'
import { adamStep, type OptimiserPlan } from './optimiser.ts'
import { countParameters, listParameters, splitParameters } from './parameters.ts'
import { type UNetPlan, unet } from './unet.ts'

export interface StepPlan {
  readonly unet: UNetPlan
  readonly batch: number
  /** Size of the images: [depth, height, width] or [height, width]. */
  readonly patch: readonly number[]
  readonly loss: LossPlan
  readonly optimiser: OptimiserPlan
}

/**
 * The ONNX model of one training step: image, target, parameters, firstMoment, secondMoment and the rates in; loss,
 * gradientNorm and the new parameters and moments out.
 */
export function trainStepModel(plan: StepPlan, target: Target): Uint8Array {
  return encodeModel(compile(trainStepGraph(plan).graph, target))
}

/** The graph of a step; `gradient` is the flat gradient, which tests look at. */
export function trainStepGraph(plan: StepPlan): { readonly graph: GraphPlan; readonly gradient: Tensor } {
  const specs = listParameters(plan.unet)
  const count = countParameters(specs)
  const image = input([plan.batch, plan.unet.inputChannels, ...plan.patch])
  const target = input([plan.batch, plan.unet.outputs, ...plan.patch])
  const state = { parameters: input([count]), firstMoment: input([count]), secondMoment: input([count]) }
  const rates = { learningRate: input([]), correction1: input([]), correction2: input([]) }

  const weights: Tensor[] = []
  const source = splitParameters(state.parameters, specs)
  const logits = unet(plan.unet, image, (spec) => {
    const weight = source(spec)
    weights.push(weight)
    return weight
  })
  const cost = loss(plan.loss, logits, target)
  const gradient = concat(
    gradients(cost, weights).map((g) => reshape(g, [sizeOf(g.shape)])),
    0,
  )
  const decays = new Float32Array(count)
  let offset = 0
  for (const spec of specs) decays.fill(spec.decays ? 1 : 0, offset, (offset += sizeOf(spec.shape)))
  const { gradientNorm, ...next } = adamStep(plan.optimiser, state, gradient, rates, decays)
  return {
    graph: { inputs: { image, target, ...state, ...rates }, outputs: { loss: cost, gradientNorm, ...prefixed(next) } },
    gradient,
  }
}

/** ONNX names inputs and outputs in one scope. */
function prefixed(state: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(state).map(([name, tensor]) => [`${name}Next`, tensor]))
}
