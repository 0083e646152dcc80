import type { Tensor } from './graph/tensor.ts'
import { add } from './ops/add.ts'
import { reduceSum } from './ops/broadcast.ts'
import { constant, scalar } from './ops/constant.ts'
import { divide } from './ops/divide.ts'
import { minimum } from './ops/minimum.ts'
import { multiply } from './ops/multiply.ts'
import { reshape } from './ops/reshape.ts'
import { sqrt } from './ops/sqrt.ts'
import { subtract } from './ops/subtract.ts'

export interface OptimiserPlan {
  readonly learningRate: number
  /** Steps over which the learning rate rises linearly from 0. */
  readonly warmUp: number
  /** How it falls to 0 at the last step: half a cosine, or (1 − progress)^0.9 as in nnU-Net. */
  readonly decay: 'cosine' | 'polynomial' | 'constant'
  /** AdamW's decoupled decay of weights (not of scales and biases), per step times the learning rate. */
  readonly weightDecay: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  /** Gradients of larger Euclidean norm are scaled down to it. Infinity switches clipping off. */
  readonly clipNorm: number
}

export const defaultOptimiser: OptimiserPlan = {
  learningRate: 5e-3,
  warmUp: 20,
  decay: 'cosine',
  weightDecay: 1e-4,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  clipNorm: 12,
}

/** The learning rate of a step (from 0) of a run of so many steps. */
export function learningRateAt({ learningRate, warmUp, decay }: OptimiserPlan, step: number, steps: number): number {
  if (step < warmUp) return (learningRate * (step + 1)) / warmUp
  const progress = (step - warmUp) / Math.max(1, steps - warmUp)
  if (decay === 'cosine') return (learningRate * (1 + Math.cos(Math.PI * progress))) / 2
  return decay === 'polynomial' ? learningRate * (1 - progress) ** 0.9 : learningRate
}

export interface OptimiserState {
  readonly parameters: Tensor
  readonly firstMoment: Tensor
  readonly secondMoment: Tensor
}

/** Numbers of one step that the graph is fed with: the learning rate and Adam's bias corrections 1/(1 − βᵗ). */
export interface OptimiserRates {
  readonly learningRate: Tensor
  readonly correction1: Tensor
  readonly correction2: Tensor
}

/** The values of OptimiserRates at a step counted from 0. */
export function ratesAt(plan: OptimiserPlan, step: number, steps: number): Record<keyof OptimiserRates, number> {
  return {
    learningRate: learningRateAt(plan, step, steps),
    correction1: 1 / (1 - plan.beta1 ** (step + 1)),
    correction2: 1 / (1 - plan.beta2 ** (step + 1)),
  }
}

/**
 * One step of Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019) after clipping by the
 * global norm, on flat vectors. `decays` is 1 where a parameter decays, else 0.
 */
export function adamStep(
  plan: OptimiserPlan,
  state: OptimiserState,
  gradient: Tensor,
  rates: OptimiserRates,
  decays: Float32Array,
): OptimiserState & { readonly gradientNorm: Tensor } {
  const gradientNorm = reshape(sqrt(reduceSum(multiply(gradient, gradient))), [])
  const clipped = Number.isFinite(plan.clipNorm)
    ? multiply(gradient, minimum(divide(scalar(plan.clipNorm), add(gradientNorm, scalar(1e-6))), scalar(1)))
    : gradient
  const average = (old: Tensor, fresh: Tensor, beta: number) =>
    add(multiply(old, scalar(beta)), multiply(fresh, scalar(1 - beta)))
  const firstMoment = average(state.firstMoment, clipped, plan.beta1)
  const secondMoment = average(state.secondMoment, multiply(clipped, clipped), plan.beta2)
  const deviation = add(sqrt(multiply(secondMoment, rates.correction2)), scalar(plan.epsilon))
  const direction = divide(multiply(firstMoment, rates.correction1), deviation)
  const decay = constant(
    decays.map((d) => d * plan.weightDecay),
    [decays.length],
  )
  const change = plan.weightDecay === 0 ? direction : add(direction, multiply(state.parameters, decay))
  const parameters = subtract(state.parameters, multiply(change, rates.learningRate))
  return { parameters, firstMoment, secondMoment, gradientNorm }
}
