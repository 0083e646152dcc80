// Training steps and inference on a GPU: ours on the CPU (two cores, all) and by WebGPU, PyTorch on the same cores and
// by CUDA, the same numbers in one run, and our gradient on the GPU against that on the CPU. Unattended, some minutes,
// no network.
//   PYTHON=python3 node bench/gpu.mjs [W1 W2 W3] [--steps N]
// Needs a built tree, ONNX Runtime (halfdice runtime), on Linux a Vulkan loader and driver; for the peers a Python with
// torch. What is missing is said and left out. Figures: docs/performance-training.md.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, runOurs, runTorch, workloads, writePlan } from './unet-step.mjs'

const args = process.argv.slice(2)
const chosen = Object.keys(workloads).filter((name) => !args.some((a) => a in workloads) || args.includes(name))
const given = args.includes('--steps') ? Number(args[args.indexOf('--steps') + 1]) : undefined

console.log(`${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`)
for (const name of chosen) {
  const folder = mkdtempSync(join(tmpdir(), 'halfdice-gpu-'))
  try {
    measure(name, folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function measure(name, folder) {
  const steps = given ?? 30
  const cores = (threads, run) => () => {
    writePlan(folder, name, { steps, threads })
    return run({ OMP_NUM_THREADS: String(threads) })
  }
  const torch = (more) => (env) => runTorch(folder, { ...env, ...more })
  const ours = (device) => (env) => runOurs(folder, device, env)
  const all = availableParallelism()
  const engines = {
    'halfdice, CPU, 2 cores': cores(2, ours('cpu')),
    'PyTorch, CPU, 2 cores': cores(2, torch({ TORCH_DEVICE: 'cpu' })),
    [`halfdice, CPU, ${all} cores`]: cores(all, ours('cpu')),
    [`PyTorch, CPU, ${all} cores`]: cores(all, torch({ TORCH_DEVICE: 'cpu' })),
    'halfdice, WebGPU': cores(all, ours('webgpu')),
    'PyTorch, CUDA, float32': cores(all, torch({ TORCH_DEVICE: 'cuda' })),
    'PyTorch, CUDA, TF32': cores(all, torch({ TORCH_DEVICE: 'cuda', TORCH_TF32: '1' })),
  }
  console.log(`\n${name}: step ms, inference ms, loss after ${steps} steps`)
  for (const [engine, run] of Object.entries(engines)) {
    try {
      const { seconds, inference, losses, torch, device } = run()
      const ms = (list) => (1000 * median(list.slice(Math.min(3, list.length - 1)))).toFixed(2)
      const about = torch === undefined ? '' : ` (${torch}, ${device})`
      console.log(`  ${engine}${about}: ${ms(seconds)}, ${ms(inference)}, ${losses.at(-1).toFixed(5)}`)
    } catch (error) {
      console.log(`  ${engine}: not run (${reason(error.message)})`)
    }
  }
  console.log(`  gradient, WebGPU less CPU, largest over the largest: ${gradientDifference(folder) ?? 'not known'}`)
}

/** Of the gradients that both devices left. */
function gradientDifference(folder) {
  try {
    const [cpu, gpu] = ['cpu', 'webgpu'].map((device) => {
      const bytes = readFileSync(join(folder, `gradient-${device}.bin`))
      return new Float32Array(new Uint8Array(bytes).buffer)
    })
    const largest = cpu.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const difference = cpu.reduce((most, value, i) => Math.max(most, Math.abs(value - gpu[i])), 0)
    return (difference / largest).toExponential(1)
  } catch {
    return undefined
  }
}

/** The error's own line of what a process has printed, else its last. */
function reason(text) {
  return text.match(/^\S*Error: .*/m)?.[0] ?? text.trim().split('\n').at(-1)
}
