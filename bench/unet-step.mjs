// One training step and inference of a U-Net, timed: W1 and W2 in 2-D, W3 in 3-D. Shared by bench/training.mjs and
// bench/gpu.mjs: the same numbers for every engine, and a process of its own for each measurement of ours.
//   node bench/unet-step.mjs FOLDER DEVICE: reads FOLDER/plan.json and its arrays, writes FOLDER/result.json
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exportModel } from '../dist/network/model.js'
import { initialParameters, listParameters } from '../dist/network/parameters.js'
import { createSession } from '../dist/network/runtime/session.js'
import { emptyState, Trainer } from '../dist/network/runtime/trainer.js'
import { randomStream } from '../dist/volume/random.js'
import { python } from './peers/python.mjs'

const unet = (dimensions, channels) => ({
  dimensions,
  inputChannels: 1,
  outputs: 1,
  channels,
  convolutions: 2,
  down: 'max-pool',
  up: 'transposed',
})
export const workloads = {
  W1: { unet: unet(2, [16, 32, 64]), batch: 8, patch: [96, 96] },
  W2: { unet: unet(2, [32, 64, 128, 256]), batch: 4, patch: [128, 128] },
  W3: { unet: unet(3, [16, 32, 64]), batch: 2, patch: [48, 48, 48] },
}
const optimiser = {
  learningRate: 1e-3,
  warmUp: 0,
  decay: 'constant',
  weightDecay: 0,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  clipNorm: Number.POSITIVE_INFINITY,
}
const loss = { kind: 'soft-dice', scope: 'batch', smoothing: 1 }

export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]

/** Writes the plan of a workload and its made-up numbers, the same in every run. */
export function writePlan(folder, name, { steps, ...more }) {
  const plan = { ...workloads[name], loss, optimiser }
  const parameters = initialParameters(plan.unet, [0.03], 1)
  const random = randomStream(5, 0)
  const size = plan.batch * plan.patch.reduce((p, n) => p * n, 1)
  const image = Float32Array.from({ length: size }, () => random.normal())
  const target = Float32Array.from(image, (x) => (x > 1 ? 1 : 0))
  const file = (key, data) => writeFileSync(join(folder, `${key}.bin`), new Uint8Array(data.buffer))
  file('parameters', parameters)
  file('image', image)
  file('target', target)
  const json = {
    ...plan,
    optimiser: { ...optimiser, clipNorm: null },
    parameters: listParameters(plan.unet),
    learningRates: new Array(steps).fill(optimiser.learningRate),
    inferences: steps,
    ...more,
  }
  writeFileSync(join(folder, 'plan.json'), JSON.stringify(json))
}

/** Times our engine in a process of its own. */
export function runOurs(folder, device = 'cpu', env = {}) {
  return run(process.execPath, [fileURLToPath(import.meta.url), folder, device], folder, env)
}

/** Times PyTorch's in one, on the same numbers. */
export function runTorch(folder, env = {}) {
  const script = fileURLToPath(new URL('peers/torch_unet.py', import.meta.url))
  return run(python, [script, folder], folder, env)
}

function run(command, commandArguments, folder, env) {
  const { status, stderr, error } = spawnSync(command, commandArguments, {
    env: { ...process.env, OMP_PROC_BIND: 'true', ...env },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(error?.message ?? stderr)
  return JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await child(process.argv[2], process.argv[3])

async function child(folder, device) {
  const plan = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'))
  const { threads } = plan
  const seconds = () =>
    plan.busy ? (process.cpuUsage().user + process.cpuUsage().system) / 1e6 : performance.now() / 1000
  plan.optimiser.clipNorm = Number.POSITIVE_INFINITY
  const read = (key) => new Float32Array(new Uint8Array(readFileSync(join(folder, `${key}.bin`))).buffer)
  const [image, target, start] = ['image', 'target', 'parameters'].map(read)
  const options = { device, ...(threads === undefined ? {} : { threads }) }
  const profile = process.env.HALFDICE_PROFILE
  const trainer = await Trainer.create(
    plan,
    { ...emptyState(start.length), parameters: start },
    {
      ...options,
      ...(profile ? { profile } : {}),
    },
  )
  const losses = []
  const steps = []
  const count = plan.learningRates.length
  for (let step = 0; step < count; step++) {
    const begin = seconds()
    const { loss } = await trainer.step(image, target, step, count)
    steps.push(seconds() - begin)
    losses.push(loss)
    // Adam's first moment after one step is (1 − β₁) of the gradient.
    if (step === 0) {
      const { firstMoment } = await trainer.state()
      writeFileSync(join(folder, `gradient-${device}.bin`), new Uint8Array(firstMoment.slice().buffer))
    }
  }
  await trainer.dispose()
  const memoryKb = process.resourceUsage().maxRSS
  const model = await createSession(exportModel(plan.unet, start, {}), options)
  const shape = [plan.batch, plan.unet.inputChannels, ...plan.patch]
  const inference = []
  for (let i = 0; i < plan.inferences; i++) {
    const begin = seconds()
    await model.run({ image: { data: image, shape } })
    inference.push(seconds() - begin)
  }
  await model.dispose()
  writeFileSync(join(folder, 'result.json'), JSON.stringify({ losses, seconds: steps, inference, memoryKb }))
}
