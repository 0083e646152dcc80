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

/** A training step's session with its state. Two copies of the state take turns as input and as output. */
export class Trainer {
  readonly #plan: StepPlan
  readonly #session: Session
  #current: TrainerState
  #next: TrainerState

  private constructor(plan: StepPlan, session: Session, state: TrainerState) {
    this.#plan = plan
    this.#session = session
    this.#current = state
    this.#next = emptyState(state.parameters.length)
  }

  static async create(plan: StepPlan, state: TrainerState, options: { device: Device; threads?: number }) {
    return new Trainer(
      plan,
      await createSession(trainStepModel(plan, await trainTarget(options.device)), options),
      state,
    )
  }

  get state(): TrainerState {
    return this.#current
  }

  /** Step number `step` (from 0) of `steps`; returns the loss before it. */
  async step(image: Float32Array, target: Float32Array, step: number, steps: number) {
    const { batch, patch, unet, optimiser } = this.#plan
    const rates = Object.entries(ratesAt(optimiser, step, steps)).map(([name, value]): [string, NdArray] => [
      name,
      { data: Float32Array.of(value), shape: [] },
    ])
    const feeds = {
      image: { data: image, shape: [batch, unet.inputChannels, ...patch] },
      target: { data: target, shape: [batch, unet.outputs, ...patch] },
      ...vectors(this.#current, ''),
      ...Object.fromEntries(rates),
    }
    const { loss, gradientNorm } = await this.#session.run(feeds, vectors(this.#next, 'Next'))
    const result = { loss: loss.data[0], gradientNorm: gradientNorm.data[0] }
    // A step with an infinite loss leaves the state as it was.
    if (Number.isFinite(result.loss)) [this.#current, this.#next] = [this.#next, this.#current]
    return result
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

function vectors(state: TrainerState, suffix: string): Record<string, NdArray> {
  const named = (data: Float32Array): NdArray => ({ data, shape: [data.length] })
  return {
    [`parameters${suffix}`]: named(state.parameters),
    [`firstMoment${suffix}`]: named(state.firstMoment),
    [`secondMoment${suffix}`]: named(state.secondMoment),
  }
}
