import { randomStream } from '../../volume/random.ts'
import { compile } from '../graph/compile.ts'
import { sizeOf } from '../graph/tensor.ts'
import { encodeModel } from '../onnx/encode.ts'
import { ratesAt } from '../optimiser.ts'
import { initialParameters } from '../parameters.ts'
import { createSession, type NdArray } from '../runtime/session.ts'
import { trainTarget } from '../runtime/target.ts'
import { type StepPlan, trainStepGraph } from '../train-step.ts'

/** What a training step starts from. */
export interface StepArrays {
  readonly parameters: Float32Array
  readonly image: Float32Array
  readonly target: Float32Array
}

/** Made-up numbers of the plan's sizes. */
export function arraysFor(plan: StepPlan, seed: number): StepArrays {
  const random = randomStream(seed, 1)
  const voxels = plan.batch * sizeOf(plan.patch)
  const image = Float32Array.from({ length: voxels * plan.unet.inputChannels }, () => random.normal())
  const target = Float32Array.from({ length: voxels * plan.unet.outputs }, () => (random.uniform() < 0.3 ? 1 : 0))
  const priors = new Array(plan.unet.outputs).fill(0.3)
  const parameters = initialParameters(plan.unet, priors, seed)
  // Scales and biases away from 1 and 0, so that a rule that forgets one shows.
  return { image, target, parameters: parameters.map((p) => p + 0.05 * random.normal()) }
}

export interface StepsRun {
  readonly losses: number[]
  readonly norms: number[]
  /** Of the first step, before clipping. */
  readonly gradient: Float32Array
  /** The parameters after the last step. */
  readonly trained: Float32Array
}

/** So many steps on one batch, lowered for this machine's CPU. */
export async function runSteps(plan: StepPlan, arrays: StepArrays, steps: number): Promise<StepsRun> {
  const { graph, gradient } = trainStepGraph(plan)
  const model = compile({ ...graph, outputs: { ...graph.outputs, gradient } }, await trainTarget('cpu'))
  const session = await createSession(encodeModel(model), { threads: 2 })
  const vector = (data: Float32Array): NdArray => ({ data, shape: [data.length] })
  const zeros = () => vector(new Float32Array(arrays.parameters.length))
  let state = { parameters: vector(arrays.parameters), firstMoment: zeros(), secondMoment: zeros() }
  const image = { data: arrays.image, shape: [plan.batch, plan.unet.inputChannels, ...plan.patch] }
  const target = { data: arrays.target, shape: [plan.batch, plan.unet.outputs, ...plan.patch] }
  const [losses, norms]: [number[], number[]] = [[], []]
  let first: Float32Array | undefined
  for (let step = 0; step < steps; step++) {
    const rates = Object.entries(ratesAt(plan.optimiser, step, steps))
    const scalars = rates.map(([name, value]) => [name, { data: Float32Array.of(value), shape: [] }])
    const result = await session.run({ image, target, ...state, ...Object.fromEntries(scalars) })
    first ??= result.gradient.data
    losses.push(result.loss.data[0])
    norms.push(result.gradientNorm.data[0])
    const { parametersNext, firstMomentNext, secondMomentNext } = result
    state = { parameters: parametersNext, firstMoment: firstMomentNext, secondMoment: secondMomentNext }
  }
  await session.dispose()
  return { losses, norms, gradient: first ?? new Float32Array(), trained: state.parameters.data }
}
