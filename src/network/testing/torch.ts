import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listParameters } from '../parameters.ts'
import type { StepPlan } from '../train-step.ts'

const PYTHON = '/usr/bin/python3'

/** Whether Debian's python3-torch is there to compare with. */
export const torchIsInstalled = spawnSync(PYTHON, ['-c', 'import torch']).status === 0

export interface TorchRun {
  readonly losses: number[]
  readonly gradient: Float32Array
}

/** Trains the same net in PyTorch: bench/peers/torch_unet.py. */
export function runTorch(
  plan: StepPlan,
  arrays: { readonly parameters: Float32Array; readonly image: Float32Array; readonly target: Float32Array },
  learningRates: readonly number[],
): TorchRun {
  const folder = mkdtempSync(join(tmpdir(), 'halfdice-torch-'))
  try {
    for (const [name, array] of Object.entries(arrays)) {
      writeFileSync(join(folder, `${name}.bin`), new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    }
    const clipNorm = Number.isFinite(plan.optimiser.clipNorm) ? plan.optimiser.clipNorm : null
    const json = {
      ...plan,
      optimiser: { ...plan.optimiser, clipNorm },
      parameters: listParameters(plan.unet),
      learningRates,
      gradient: true,
    }
    writeFileSync(join(folder, 'plan.json'), JSON.stringify(json))
    const script = new URL('../../../bench/peers/torch_unet.py', import.meta.url).pathname
    const { status, stderr } = spawnSync(PYTHON, [script, folder], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    const { losses } = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')) as { losses: number[] }
    return { losses, gradient: new Float32Array(new Uint8Array(readFileSync(join(folder, 'gradient.bin'))).buffer) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
