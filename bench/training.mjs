// One training step and one inference of a U-Net, side by side with PyTorch on the same cores and the same numbers.
// Usage, after npm run build: node bench/training.mjs [W1 W2 W3] [--rounds N] [--no-torch] [--busy]
// --busy: for a machine that others use: CPU time of one thread each instead of wall-clock time of two.
// Each round times both engines one after the other in processes of their own; the medians' ratio is the result.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exportModel } from '../dist/network/model.js'
import { initialParameters, listParameters } from '../dist/network/parameters.js'
import { createSession } from '../dist/network/runtime/session.js'
import { trainTarget } from '../dist/network/runtime/target.js'
import { trainStepModel } from '../dist/network/train-step.js'
import { randomStream } from '../dist/volume/random.js'

const unet = (dimensions, channels) => ({
  dimensions,
  inputChannels: 1,
  outputs: 1,
  channels,
  convolutions: 2,
  down: 'max-pool',
  up: 'transposed',
})
const workloads = {
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
const busy = process.argv.includes('--busy')
const threads = busy ? 1 : Math.min(2, availableParallelism())
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]

const args = process.argv.slice(2)
if (args[0] === '--child') await child(args[1])
else {
  const option = (name, otherwise) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise)
  const rounds = option('--rounds', 3)
  const chosen = Object.keys(workloads).filter((name) => !args.some((a) => a in workloads) || args.includes(name))
  for (const name of chosen) compare(name, rounds, !args.includes('--no-torch'))
}

function compare(name, rounds, withTorch) {
  const folder = mkdtempSync(join(tmpdir(), 'halfdice-bench-'))
  try {
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
    const steps = name === 'W1' ? 40 : 15
    const json = {
      ...plan,
      optimiser: { ...optimiser, clipNorm: null },
      parameters: listParameters(plan.unet),
      learningRates: new Array(steps).fill(optimiser.learningRate),
      inferences: steps,
      threads,
      busy,
    }
    writeFileSync(join(folder, 'plan.json'), JSON.stringify(json))
    const ours = []
    const theirs = []
    for (let round = 0; round < rounds; round++) {
      ours.push(run(process.execPath, [fileURLToPath(import.meta.url), '--child', folder], folder))
      if (!withTorch) continue
      const script = fileURLToPath(new URL('peers/torch_unet.py', import.meta.url))
      theirs.push(run('/usr/bin/python3', [script, folder], folder))
    }
    const line = (label, of) => {
      const a = median(ours.map(of))
      const b = withTorch ? median(theirs.map(of)) : Number.NaN
      return `${label} ${a.toFixed(1)} / ${b.toFixed(1)} = ${(a / b).toFixed(2)}`
    }
    const lastLoss = (r) => r.losses.at(-1)
    console.log(
      `${name}${busy ? ' (CPU time of 1 thread)' : ''} ours / PyTorch: ` +
        [
          line('step ms', (r) => 1000 * median(r.seconds.slice(3))),
          line('inference ms', (r) => 1000 * median(r.inference.slice(2))),
          line('peak MB', (r) => r.memoryKb / 1024),
          `loss after ${steps}: ${lastLoss(ours[0]).toFixed(5)} / ${withTorch ? lastLoss(theirs[0]).toFixed(5) : '-'}`,
        ].join('; '),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function run(command, commandArguments, folder) {
  const { status, stderr } = spawnSync(command, commandArguments, {
    env: { ...process.env, OMP_PROC_BIND: 'true', OMP_NUM_THREADS: String(threads) },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'))
}

async function child(folder) {
  const plan = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'))
  const { threads } = plan
  const seconds = () =>
    plan.busy ? (process.cpuUsage().user + process.cpuUsage().system) / 1e6 : performance.now() / 1000
  plan.optimiser.clipNorm = Number.POSITIVE_INFINITY
  const read = (key) => new Float32Array(new Uint8Array(readFileSync(join(folder, `${key}.bin`))).buffer)
  const shape = (channels) => [plan.batch, channels, ...plan.patch]
  const image = { data: read('image'), shape: shape(plan.unet.inputChannels) }
  const target = { data: read('target'), shape: shape(plan.unet.outputs) }
  const start = read('parameters')
  const vector = () => ({ data: new Float32Array(start.length), shape: [start.length] })
  const scalar = (x) => ({ data: Float32Array.of(x), shape: [] })
  const profile = process.env.HALFDICE_PROFILE
  const session = await createSession(trainStepModel(plan, await trainTarget('cpu')), {
    threads,
    ...(profile ? { profile } : {}),
  })
  const [state, next] = [0, 1].map(() => ({ parameters: vector(), firstMoment: vector(), secondMoment: vector() }))
  state.parameters.data.set(start)
  const into = (s) => Object.fromEntries(Object.entries(s).map(([key, value]) => [`${key}Next`, value]))
  const losses = []
  const steps = []
  for (let step = 0; step < plan.learningRates.length; step++) {
    const [from, to] = step % 2 === 0 ? [state, next] : [next, state]
    const begin = seconds()
    const rates = {
      learningRate: scalar(plan.learningRates[step]),
      correction1: scalar(1 / (1 - 0.9 ** (step + 1))),
      correction2: scalar(1 / (1 - 0.999 ** (step + 1))),
    }
    const result = await session.run({ image, target, ...from, ...rates }, into(to))
    steps.push(seconds() - begin)
    losses.push(result.loss.data[0])
  }
  await session.dispose()
  const memoryKb = process.resourceUsage().maxRSS
  const model = await createSession(exportModel(plan.unet, start, {}), { threads })
  const inference = []
  for (let i = 0; i < plan.inferences; i++) {
    const begin = seconds()
    await model.run({ image })
    inference.push(seconds() - begin)
  }
  await model.dispose()
  writeFileSync(join(folder, 'result.json'), JSON.stringify({ losses, seconds: steps, inference, memoryKb }))
}
