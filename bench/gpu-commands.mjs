// What a training step by WebGPU asks of the driver, counted without a GPU: dispatches, fills, copies, submissions,
// memory, and the time to write them down, with a software driver whose dispatches and fills are left out.
//   node bench/gpu-commands.mjs [W1 W2 W3]
// Needs a built tree, ONNX Runtime (halfdice runtime), g++, and SwiftShader with its loader (Debian's chromium-common
// and libvulkan1). Figures: docs/performance-training.md.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median, runOurs, workloads, writePlan } from './unet-step.mjs'

const chromium = '/usr/lib/chromium'
const [few, many] = [4, 24]

const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(workloads)
const folder = mkdtempSync(join(tmpdir(), 'halfdice-commands-'))
try {
  const environment = countingDriver()
  console.log('of a step: dispatches, fills, copies, submissions, allocations of MB, ms; most memory, MB')
  for (const name of chosen) {
    const [first, all] = [few, many].map((steps) => measured(name, steps, environment))
    const ofStep = (key) => (all[key] - first[key]) / (many - few)
    const counts = ['dispatches', 'fills', 'copies', 'submits', 'allocations'].map((key) => ofStep(key).toFixed(0))
    const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(1)
    const ms = 1000 * median(all.seconds.slice(3))
    console.log(
      `${name}: ${counts.join(', ')} of ${megabytes(ofStep('allocated'))}, ${ms.toFixed(1)}; ${megabytes(all.most)}`,
    )
  }
} finally {
  rmSync(folder, { recursive: true })
}

/** Builds the driver; the environment in which it is found. */
function countingDriver() {
  const source = fileURLToPath(new URL('counting-driver.cc', import.meta.url))
  const library = join(folder, 'libcounting.so')
  const { status, stderr, error } = spawnSync('g++', ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl'], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(error?.message ?? stderr)
  const description = join(folder, 'counting.json')
  const driver = { file_format_version: '1.0.0', ICD: { library_path: library, api_version: '1.3.0' } }
  writeFileSync(description, JSON.stringify(driver))
  return {
    VK_ICD_FILENAMES: description,
    LD_LIBRARY_PATH: chromium,
    COUNTED_DRIVER: join(chromium, 'libvk_swiftshader.so'),
    COUNTS_FILE: join(folder, 'counts.json'),
  }
}

function measured(name, steps, environment) {
  writePlan(folder, name, { steps, threads: 2, inferences: 0 })
  const { seconds } = runOurs(folder, 'webgpu', environment)
  return { seconds, ...JSON.parse(readFileSync(environment.COUNTS_FILE, 'utf8')) }
}
