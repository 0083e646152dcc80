// node gradient-on.mjs DEVICE: prints, as one JSON line, loss and gradient of some small nets on made-up numbers.
import { compile } from '../../dist/network/graph/compile.js'
import { encodeModel } from '../../dist/network/onnx/encode.js'
import { initialParameters } from '../../dist/network/parameters.js'
import { createRandom } from '../../dist/network/random.js'
import { createSession } from '../../dist/network/runtime/session.js'
import { trainStepGraph } from '../../dist/network/train-step.js'

const device = process.argv[2]
const optimiser = { weightDecay: 0, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, clipNorm: 1 }
const loss = { kind: 'sum', scope: 'batch', smoothing: 1 }
const ends = [
  { down: 'max-pool', up: 'transposed' },
  { down: 'strided', up: 'resize' },
]
const results = []
for (const dimensions of [2, 3]) {
  for (const { down, up } of ends) {
    const unet = { dimensions, inputChannels: 1, outputs: 2, channels: [4, 8], convolutions: 2, down, up }
    const plan = { unet, batch: 2, patch: dimensions === 2 ? [8, 12] : [4, 8, 6], loss, optimiser }
    const { graph, gradient } = trainStepGraph(plan)
    const { image, target, parameters } = graph.inputs
    const outputs = { loss: graph.outputs.loss, gradient }
    const model = compile({ inputs: { image, target, parameters }, outputs }, { device, purpose: 'train' })
    const session = await createSession(encodeModel(model), { device })
    const random = createRandom(4, 4)
    const numbers = (shape, value) => ({
      data: Float32Array.from({ length: shape.reduce((p, n) => p * n, 1) }, value),
      shape,
    })
    const feeds = {
      image: numbers(image.shape, random.normal),
      target: numbers(target.shape, () => (random.uniform() < 0.3 ? 1 : 0)),
      parameters: { data: initialParameters(unet, [0.3, 0.3], 3), shape: parameters.shape },
    }
    const found = await session.run(feeds)
    await session.dispose()
    results.push({
      name: `${dimensions}-D ${down} ${up}`,
      loss: found.loss.data[0],
      gradient: [...found.gradient.data],
    })
  }
}
console.log(JSON.stringify(results))
