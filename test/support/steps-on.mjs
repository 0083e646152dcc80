// node steps-on.mjs DEVICE: prints, as one JSON line, losses and state of some steps of a small net: what one step
// leaves feeds the next, and is read in between.
import { initialParameters } from '../../dist/network/parameters.js'
import { emptyState, Trainer } from '../../dist/network/runtime/trainer.js'
import { randomStream } from '../../dist/volume/random.js'

const plan = {
  unet: {
    dimensions: 2,
    inputChannels: 1,
    outputs: 1,
    channels: [4, 8],
    convolutions: 1,
    down: 'max-pool',
    up: 'transposed',
  },
  batch: 2,
  patch: [8, 12],
  loss: { kind: 'dice+cross-entropy', scope: 'batch', smoothing: 1 },
  optimiser: {
    learningRate: 0.01,
    warmUp: 0,
    decay: 'cosine',
    weightDecay: 0.1,
    beta1: 0.9,
    beta2: 0.99,
    // Far above round-off, which would decide the sign of a first step where the gradient is near 0.
    epsilon: 1e-3,
    clipNorm: 10,
  },
}
const random = randomStream(4, 4)
const image = Float32Array.from({ length: 2 * 96 }, () => random.normal())
const target = Float32Array.from(image, (value) => (value > 0.7 ? 1 : 0))
const parameters = initialParameters(plan.unet, [0.3], 3)
const options = { device: process.argv[2] }
const trainer = await Trainer.create(plan, { ...emptyState(parameters.length), parameters }, options)
const values = { losses: [] }
for (let step = 0; step < 5; step++) {
  values.losses.push((await trainer.step(image, target, step, 5)).loss)
  if (step === 3) continue
  for (const [name, data] of Object.entries(await trainer.state())) values[`${name} ${step}`] = [...data]
}
await trainer.dispose()
console.log(JSON.stringify([{ net: 'five steps', values }]))
