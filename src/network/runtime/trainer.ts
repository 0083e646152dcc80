import type { Device } from '../graph/tensor.ts'
import { ratesAt } from '../optimiser.ts'
import { type StepPlan, trainStepModel } from '../train-step.ts'
import { createSession, type NdArray, type Session } from './session.ts'
import { trainTarget } from './target.ts'

/** What changes from step to step: the parameters and Adam's two moments, flat. */
export interface TrainerState {
  readonly parameters: Float32Array
  readonly firstMoment: Float32Array
  readonly secondMoment: Float32Array
}

/** A training step's session with its state, which stays where the step is computed. */
export class Trainer {
  readonly #plan: StepPlan
  readonly #session: Session
  /** Until the first step. */
  #start: Record<string, NdArray> | undefined

  private constructor(plan: StepPlan, session: Session, state: TrainerState) {
    this.#plan = plan
    this.#session = session
    this.#start = Object.fromEntries(Object.entries(state).map(([name, data]) => [name, vector(data)]))
  }

  static async create(plan: StepPlan, state: TrainerState, options: { device: Device; threads?: number }) {
    const model = trainStepModel(plan, await trainTarget(options.device))
    const carry = Object.fromEntries(Object.keys(state).map((name) => [`${name}Next`, name]))
    const channelsFirst = plan.unet.dimensions === 3
    return new Trainer(plan, await createSession(model, { ...options, carry, channelsFirst }), state)
  }

  /** Parameters and moments after the last step; valid until the next. */
  async state(): Promise<TrainerState> {
    const { parameters, firstMoment, secondMoment } = this.#start ?? (await this.#session.carried())
    return { parameters: parameters.data, firstMoment: firstMoment.data, secondMoment: secondMoment.data }
  }

  /** Step number `step` (from 0) of `steps`; returns the loss before it. */
  async step(image: Float32Array, target: Float32Array, step: number, steps: number) {
    const { batch, patch, unet, optimiser } = this.#plan
    const rates = Object.entries(ratesAt(optimiser, step, steps)).map(([name, value]): [string, NdArray] => [
      name,
      { data: Float32Array.of(value), shape: [] },
    ])
    const { loss, gradientNorm } = await this.#session.run({
      image: { data: image, shape: [batch, unet.inputChannels, ...patch] },
      target: { data: target, shape: [batch, unet.outputs, ...patch] },
      ...this.#start,
      ...Object.fromEntries(rates),
    })
    this.#start = undefined
    return { loss: loss.data[0], gradientNorm: gradientNorm.data[0] }
  }

  async dispose(): Promise<void> {
    await this.#session.dispose()
  }
}

export function emptyState(size: number): TrainerState {
  return {
    parameters: new Float32Array(size),
    firstMoment: new Float32Array(size),
    secondMoment: new Float32Array(size),
  }
}

function vector(data: Float32Array): NdArray {
  return { data, shape: [data.length] }
}
