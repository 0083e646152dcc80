import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

interface Gradient {
  readonly name: string
  readonly loss: number
  readonly gradient: number[]
}

/** Environment in which ONNX Runtime finds a Vulkan driver: the system's, or Chromium's software one (SwiftShader). */
function vulkanEnvironment(): NodeJS.ProcessEnv | undefined {
  const system = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'].some(
    (d) => existsSync(d) && readdirSync(d).length > 0,
  )
  if (system) return {}
  const chromium = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'].find((folder) =>
    ['vk_swiftshader_icd.json', 'libvulkan.so.1'].every((file) => existsSync(join(folder, file))),
  )
  if (chromium === undefined) return undefined
  return { VK_ICD_FILENAMES: join(chromium, 'vk_swiftshader_icd.json'), LD_LIBRARY_PATH: chromium }
}

const environment = vulkanEnvironment()
const script = fileURLToPath(new URL('support/gradient-on.mjs', import.meta.url))

function gradientsOn(device: string): Gradient[] {
  const env = { ...process.env, ...environment }
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, device], { encoding: 'utf8', env })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

test.skipIf(environment === undefined)(
  'gradients on WebGPU are those of the CPU (needs a Vulkan driver; Debian: chromium brings one)',
  () => {
    const [expected, found] = [gradientsOn('cpu'), gradientsOn('webgpu')]
    for (const [i, { name, loss, gradient }] of expected.entries()) {
      expect(found[i].name).toBe(name)
      expect(Math.abs(found[i].loss - loss), name).toBeLessThan(1e-5)
      const largest = Math.max(...gradient.map(Math.abs))
      const difference = Math.max(...gradient.map((g, j) => Math.abs(g - found[i].gradient[j])))
      expect(difference / largest, name).toBeLessThan(1e-5)
    }
  },
)
