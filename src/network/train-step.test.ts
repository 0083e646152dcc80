import { describe, expect, test } from 'vitest'
import { compile } from './graph/compile.ts'
import { sizeOf } from './graph/tensor.ts'
import type { LossPlan } from './losses.ts'
import { encodeModel } from './onnx/encode.ts'
import { DEFAULT_OPTIMISER, ratesAt } from './optimiser.ts'
import { initialParameters, listParameters } from './parameters.ts'
import { createRandom } from './random.ts'
import { createSession, type NdArray } from './runtime/session.ts'
import { trainTarget } from './runtime/target.ts'
import { relativeDifference } from './testing/finite-differences.ts'
import { runTorch, torchIsInstalled } from './testing/torch.ts'
import { lossTwin } from './testing/unet-twin.ts'
import { type StepPlan, trainStepGraph, trainStepModel } from './train-step.ts'
import type { UNetPlan } from './unet.ts'

const small2: UNetPlan = {
  dimensions: 2,
  inputChannels: 2,
  outputs: 2,
  channels: [3, 4, 5],
  convolutions: 1,
  down: 'max-pool',
  up: 'transposed',
}
const optimiser = { ...DEFAULT_OPTIMISER, warmUp: 2 }
const ce: LossPlan = { kind: 'cross-entropy', scope: 'case', smoothing: 1 }
const plans: Record<string, StepPlan> = {
  '2-D, max-pool, transposed, cross-entropy': { unet: small2, batch: 2, patch: [8, 12], loss: ce, optimiser },
  '2-D, strided, resize, soft-Dice per case': {
    unet: { ...small2, down: 'strided', up: 'resize', convolutions: 2 },
    batch: 2,
    patch: [8, 12],
    loss: { kind: 'soft-dice', scope: 'case', smoothing: 1 },
    optimiser,
  },
  '3-D, max-pool, transposed, sum with soft-Dice per batch': {
    unet: { ...small2, dimensions: 3, channels: [2, 3] },
    batch: 2,
    patch: [4, 4, 6],
    loss: { kind: 'sum', scope: 'batch', smoothing: 0.5 },
    optimiser,
  },
  '3-D, strided, resize, soft-Dice per batch': {
    unet: { ...small2, dimensions: 3, channels: [2, 3], down: 'strided', up: 'resize' },
    batch: 1,
    patch: [4, 4, 6],
    loss: { kind: 'soft-dice', scope: 'batch', smoothing: 1 },
    optimiser,
  },
}

function arraysFor(plan: StepPlan) {
  const random = createRandom(11, 1)
  const voxels = plan.batch * sizeOf(plan.patch)
  const image = Float32Array.from({ length: voxels * plan.unet.inputChannels }, () => random.normal())
  const target = Float32Array.from({ length: voxels * plan.unet.outputs }, () => (random.uniform() < 0.3 ? 1 : 0))
  const priors = new Array(plan.unet.outputs).fill(0.3)
  const parameters = initialParameters(plan.unet, priors, 3)
  // Scales and biases away from 1 and 0, so that a rule that forgets one shows.
  return { image, target, parameters: parameters.map((p) => p + 0.05 * random.normal()) }
}

function feedsFor(plan: StepPlan, arrays: ReturnType<typeof arraysFor>): Record<string, NdArray> {
  const vector = (data: Float32Array): NdArray => ({ data, shape: [data.length] })
  const zeros = () => vector(new Float32Array(arrays.parameters.length))
  return {
    image: { data: arrays.image, shape: [plan.batch, plan.unet.inputChannels, ...plan.patch] },
    target: { data: arrays.target, shape: [plan.batch, plan.unet.outputs, ...plan.patch] },
    parameters: vector(arrays.parameters),
    firstMoment: zeros(),
    secondMoment: zeros(),
  }
}

async function gradientOf(plan: StepPlan, arrays: ReturnType<typeof arraysFor>) {
  const { graph, gradient } = trainStepGraph(plan)
  const { image, target, parameters } = graph.inputs
  const outputs = { loss: graph.outputs.loss, gradient }
  const model = compile({ inputs: { image, target, parameters }, outputs }, await trainTarget('cpu'))
  const session = await createSession(encodeModel(model), { threads: 2 })
  const { firstMoment, secondMoment, ...feeds } = feedsFor(plan, arrays)
  const result = await session.run(feeds)
  await session.dispose()
  return { loss: result.loss.data[0], gradient: result.gradient.data }
}

/** Ten (or more) steps on one batch. */
async function trainSteps(plan: StepPlan, arrays: ReturnType<typeof arraysFor>, steps: number): Promise<number[]> {
  const session = await createSession(trainStepModel(plan, await trainTarget('cpu')), { threads: 2 })
  let feeds = feedsFor(plan, arrays)
  const losses: number[] = []
  for (let step = 0; step < steps; step++) {
    const rates = Object.entries(ratesAt(plan.optimiser, step, steps))
    const scalars = rates.map(([name, value]) => [name, { data: Float32Array.of(value), shape: [] }])
    const result = await session.run({ ...feeds, ...Object.fromEntries(scalars) })
    losses.push(result.loss.data[0])
    const { parametersNext, firstMomentNext, secondMomentNext } = result
    feeds = { ...feeds, parameters: parametersNext, firstMoment: firstMomentNext, secondMoment: secondMomentNext }
  }
  await session.dispose()
  return losses
}

/** For each parameter tensor, the largest difference over the largest entry. */
function gradientDifferences(plan: StepPlan, found: Float32Array, expected: ArrayLike<number>): [string, number][] {
  let offset = 0
  return listParameters(plan.unet).map(({ name, shape }) => {
    const range = [offset, (offset += sizeOf(shape))] as const
    return [name, relativeDifference(found.slice(...range), Array.prototype.slice.call(expected, ...range))]
  })
}

describe.each(Object.entries(plans))('%s', (_, plan) => {
  test('loss and gradient agree with finite differences of a double-precision twin', async () => {
    const arrays = arraysFor(plan)
    const { loss, gradient } = await gradientOf(plan, arrays)
    const double = (data: Float32Array, channels: number) => ({
      data: Float64Array.from(data),
      shape: [plan.batch, channels, ...plan.patch],
    })
    const image = double(arrays.image, plan.unet.inputChannels)
    const target = double(arrays.target, plan.unet.outputs)
    const flat = Float64Array.from(arrays.parameters)
    const twin = () => lossTwin(plan.unet, plan.loss, image, target, flat)
    expect(Math.abs(loss - twin())).toBeLessThan(1e-6)
    // Every 41st parameter, plus the first of each tensor: the twin is slow.
    const chosen = new Set<number>(Array.from({ length: Math.ceil(flat.length / 41) }, (_, i) => 41 * i))
    let offset = 0
    for (const { shape } of listParameters(plan.unet)) {
      chosen.add(offset)
      offset += sizeOf(shape)
    }
    let worst = 0
    const largest = gradient.reduce((max, g) => Math.max(max, Math.abs(g)), 0)
    for (const i of chosen) {
      const x = flat[i]
      // Small enough that leaky ReLU and max-pool rarely change sides within the step.
      const step = 1e-7
      flat[i] = x + step
      const above = twin()
      flat[i] = x - step
      const below = twin()
      flat[i] = x
      worst = Math.max(worst, Math.abs(gradient[i] - (above - below) / (2 * step)))
    }
    expect(worst / largest).toBeLessThan(1e-4)
  })

  test.skipIf(!torchIsInstalled)(
    'gradients and the losses of ten steps agree with PyTorch (python3-torch)',
    async () => {
      const arrays = arraysFor(plan)
      const rates = Array.from({ length: 10 }, (_, step) => ratesAt(plan.optimiser, step, 10).learningRate)
      const torch = runTorch(plan, arrays, rates)
      const { gradient } = await gradientOf(plan, arrays)
      for (const [name, difference] of gradientDifferences(plan, gradient, torch.gradient)) {
        expect(difference, name).toBeLessThan(2e-3)
      }
      const losses = await trainSteps(plan, arrays, 10)
      for (const [step, value] of losses.entries()) expect(Math.abs(value - torch.losses[step])).toBeLessThan(1e-4)
      expect(losses[9]).toBeLessThan(losses[0])
    },
  )
})

test.skipIf(!torchIsInstalled).each([
  [2, [32, 32]],
  [3, [8, 12, 16]],
] as const)('a %i-D net of usual size agrees with PyTorch (python3-torch)', async (dimensions, patch) => {
  const unet: UNetPlan = {
    ...small2,
    dimensions,
    inputChannels: 1,
    outputs: 1,
    channels: [16, 32, 64],
    convolutions: 2,
  }
  // Adam's first steps are signs of the gradient: at a higher rate the round-off of small entries decides the losses.
  const gentle = { ...optimiser, learningRate: 1e-3 }
  const plan: StepPlan = { unet, batch: 2, patch, loss: { ...ce, kind: 'sum' }, optimiser: gentle }
  const arrays = arraysFor(plan)
  const rates = Array.from({ length: 10 }, (_, step) => ratesAt(plan.optimiser, step, 10).learningRate)
  const torch = runTorch(plan, arrays, rates)
  const { gradient } = await gradientOf(plan, arrays)
  for (const [name, difference] of gradientDifferences(plan, gradient, torch.gradient)) {
    expect(difference, name).toBeLessThan(2e-3)
  }
  const losses = await trainSteps(plan, arrays, 10)
  for (const [step, value] of losses.entries()) expect(Math.abs(value - torch.losses[step])).toBeLessThan(1e-4)
})
