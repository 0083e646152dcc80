import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ratesAt } from '../optimiser.ts'
import { listParameters } from '../parameters.ts'
import type { StepPlan } from '../train-step.ts'
import type { StepArrays } from './steps.ts'

const pythonScript = '/usr/bin/python3'

/** Whether Debian's python3-torch is there to compare with. */
export const torchIsInstalled = spawnSync(pythonScript, ['-c', 'import torch']).status === 0

export interface TorchRun {
  readonly losses: number[]
  /** Of the gradients before they are clipped; empty where they are not. */
  readonly norms: number[]
  /** Of the first step. */
  readonly gradient: Float64Array
  /** The parameters after the last step. */
  readonly trained: Float64Array
}

/**
 * Trains the same nets for so many steps in PyTorch, in double precision: what differs is then our round-off alone. All
 * in one process, since loading PyTorch takes longer than any of them. See bench/peers/torch_unet.py.
 */
export function runTorch(
  runs: readonly { readonly plan: StepPlan; readonly arrays: StepArrays }[],
  steps: number,
): TorchRun[] {
  const root = mkdtempSync(join(tmpdir(), 'halfdice-torch-'))
  try {
    const folders = runs.map(({ plan, arrays }, i) => {
      const folder = join(root, String(i))
      mkdirSync(folder)
      for (const [name, array] of Object.entries(arrays)) {
        writeFileSync(join(folder, `${name}.bin`), new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
      }
      const clipNorm = Number.isFinite(plan.optimiser.clipNorm) ? plan.optimiser.clipNorm : null
      const json = {
        ...plan,
        optimiser: { ...plan.optimiser, clipNorm },
        parameters: listParameters(plan.unet),
        learningRates: Array.from({ length: steps }, (_, step) => ratesAt(plan.optimiser, step, steps).learningRate),
        gradient: true,
        double: true,
        // Nets so small are slower on several, above all where others compute too.
        threads: 1,
      }
      writeFileSync(join(folder, 'plan.json'), JSON.stringify(json))
      return folder
    })
    const script = new URL('../../../bench/peers/torch_unet.py', import.meta.url).pathname
    const { status, stderr } = spawnSync(pythonScript, [script, ...folders], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    return folders.map((folder) => {
      const doubles = (name: string) => new Float64Array(new Uint8Array(readFileSync(join(folder, name))).buffer)
      const { losses, norms } = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'))
      return { losses, norms, gradient: doubles('gradient.bin'), trained: doubles('trained.bin') }
    })
  } finally {
    rmSync(root, { recursive: true })
  }
}
