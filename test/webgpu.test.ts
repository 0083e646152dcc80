import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

interface Step {
  readonly net: string
  /** Loss, gradient, and what the optimiser makes of it. */
  readonly values: Readonly<Record<string, readonly number[]>>
}

/** Chromium's folders, in which a loader and a software driver (SwiftShader) lie; Debian: chromium-common. */
const chromiumFolders = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome']

/** Environments in which there may be a Vulkan driver: the system's own, then those of Chromium. */
function environments(): NodeJS.ProcessEnv[] {
  const found = chromiumFolders.filter((folder) => existsSync(join(folder, 'vk_swiftshader_icd.json')))
  const software = found.map((folder) => ({
    VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json'),
    LD_LIBRARY_PATH: folder,
  }))
  return [{}, ...software]
}

const noDriver = 'no Vulkan driver that WebGPU takes; a software one: Debian’s chromium-common'

/** A driver that is installed may still be none that Dawn takes (Mesa's lavapipe): only a session tells. */
function webgpuEnvironment(): NodeJS.ProcessEnv | undefined {
  return environments().find((one) => run('opens-webgpu.mjs', '', one).status === 0)
}

function run(script: string, argument: string, environment: NodeJS.ProcessEnv) {
  const path = fileURLToPath(new URL(`support/${script}`, import.meta.url))
  const env = { ...process.env, ...environment }
  // Some hundred thousand numbers as text.
  return spawnSync(process.execPath, [path, argument], { encoding: 'utf8', env, maxBuffer: 2 ** 27 })
}

function stepsOn(device: string, environment: NodeJS.ProcessEnv): Step[] {
  const { stdout, stderr, status } = run('step-on.mjs', device, environment)
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

test('training steps on WebGPU are those of the CPU', ({ skip }) => {
  const environment = webgpuEnvironment()
  if (environment === undefined) return skip(noDriver)
  const [expected, found] = [stepsOn('cpu', {}), stepsOn('webgpu', environment)]
  for (const [i, { net, values }] of expected.entries()) {
    expect(found[i].net).toBe(net)
    for (const [name, numbers] of Object.entries(values)) {
      const largest = Math.max(...numbers.map(Math.abs))
      const difference = Math.max(...numbers.map((value, j) => Math.abs(value - found[i].values[name][j])))
      // float32 and sums of some hundred terms in another order.
      expect(difference / largest, `${net}: ${name}`).toBeLessThan(1e-5)
    }
  }
}, 300_000)

test('an array that is larger than the GPU takes is one line', ({ skip }) => {
  const environment = webgpuEnvironment()
  if (environment === undefined) return skip(noDriver)
  const { status, stderr } = run('too-large-for-webgpu.mjs', '', environment)
  expect(stderr).toMatch(/^(error: XDG.*\n)*memory: not enough for this network; use a smaller patch, batch or .*\n$/)
  expect(status).toBe(1)
})

test('a missing device is one line, which names what to install', ({ skip }) => {
  const { status, stderr } = run('opens-webgpu.mjs', '', {})
  skip(status === 0, 'WebGPU works here')
  // Dawn has more to say about a loader without a driver, or with one that it does not take.
  expect(stderr).toMatch(/--device webgpu: ONNX Runtime finds no WebGPU adapter; .*\bor use --device cpu\n$/)
  if (process.platform === 'linux') expect(stderr).toContain('chromium-common')
})
