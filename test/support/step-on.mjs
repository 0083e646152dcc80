// node step-on.mjs DEVICE: prints, as one JSON line, what a training step of some small nets gives on made-up numbers,
// and what some steps of one of them leave, each fed by the one before.
import { compile } from '../../dist/network/graph/compile.js'
import { encodeModel } from '../../dist/network/onnx/encode.js'
import { ratesAt } from '../../dist/network/optimiser.js'
import { initialParameters } from '../../dist/network/parameters.js'
import { createSession } from '../../dist/network/runtime/session.js'
import { trainTarget } from '../../dist/network/runtime/target.js'
import { emptyState, Trainer } from '../../dist/network/runtime/trainer.js'
import { trainStepGraph } from '../../dist/network/train-step.js'
import { randomStream } from '../../dist/volume/random.js'

const device = process.argv[2]
const target = await trainTarget(device)
// A step so large, and a norm so small, that the optimiser's share of the numbers is seen; step 9 of 20.
const optimiser = {
  learningRate: 0.1,
  warmUp: 0,
  decay: 'cosine',
  weightDecay: 0.1,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  clipNorm: 0.05,
}
const loss = { kind: 'dice+cross-entropy', scope: 'batch', smoothing: 1 }
const [pooled, strided] = [
  { down: 'max-pool', up: 'transposed' },
  { down: 'strided', up: 'resize' },
]
// Few and small nets: a software driver takes a second or more to compile what one operator of one shape needs.
const nets = [
  // Large enough for sums over voxels, and along rows, that a GPU makes in parts.
  { dimensions: 2, patch: [128, 160], channels: [4, 8], ...pooled },
  { dimensions: 2, patch: [8, 12], channels: [4, 8], ...strided },
  // Multiples of the CPU's block of channels.
  { dimensions: 3, patch: [4, 8, 6], channels: [16, 32], ...pooled },
  { dimensions: 3, patch: [2, 4, 6], channels: [16, 32], ...strided },
]
const results = []
for (const { patch, ...net } of nets) {
  const unet = { inputChannels: 1, outputs: 2, convolutions: 1, ...net }
  const { graph, gradient } = trainStepGraph({ unet, batch: 2, patch, loss, optimiser })
  const session = await createSession(
    encodeModel(compile({ ...graph, outputs: { ...graph.outputs, gradient } }, target)),
    { device },
  )
  const random = randomStream(4, 4)
  const { image, target: truth, parameters } = graph.inputs
  const numbers = ({ shape }, value) => ({
    data: Float32Array.from({ length: shape.reduce((p, n) => p * n, 1) }, value),
    shape,
  })
  const scalars = Object.entries(ratesAt(optimiser, 9, 20)).map(([name, value]) => [
    name,
    { data: Float32Array.of(value), shape: [] },
  ])
  const found = await session.run({
    image: numbers(image, () => random.normal()),
    target: numbers(truth, () => (random.uniform() < 0.3 ? 1 : 0)),
    parameters: { data: initialParameters(unet, [0.3, 0.3], 3), shape: parameters.shape },
    // Moments far from 0: in Adam's first step, the round-off of a gradient near 0 decides the sign of a change.
    firstMoment: numbers(parameters, () => 0.01 * random.normal()),
    secondMoment: numbers(parameters, () => 1e-4 * (0.5 + random.uniform())),
    ...Object.fromEntries(scalars),
  })
  await session.dispose()
  const values = Object.fromEntries(Object.entries(found).map(([name, { data }]) => [name, [...data]]))
  results.push({ net: `${net.dimensions}-D ${net.channels} ${net.down} ${net.up}`, values })
}
results.push(await steps(nets[1]))
console.log(JSON.stringify(results))

async function steps({ patch, ...net }) {
  const unet = { inputChannels: 1, outputs: 2, convolutions: 1, ...net }
  // Far above round-off, which would decide the sign of a first step where the gradient is near 0.
  const plan = { unet, batch: 2, patch, loss, optimiser: { ...optimiser, epsilon: 1e-3 } }
  const random = randomStream(4, 4)
  const voxels = 2 * patch.reduce((p, n) => p * n, 1)
  const image = Float32Array.from({ length: voxels }, () => random.normal())
  const truth = Float32Array.from({ length: 2 * voxels }, () => (random.uniform() < 0.3 ? 1 : 0))
  const parameters = initialParameters(unet, [0.3, 0.3], 3)
  const trainer = await Trainer.create(plan, { ...emptyState(parameters.length), parameters }, { device })
  const values = { losses: [] }
  for (let step = 0; step < 5; step++) {
    values.losses.push((await trainer.step(image, truth, step, 5)).loss)
    if (step === 3) continue
    for (const [name, data] of Object.entries(await trainer.state())) values[`${name} ${step}`] = [...data]
  }
  await trainer.dispose()
  return { net: 'five steps', values }
}
