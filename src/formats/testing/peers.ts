import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Data sets that a development machine may have beside the repository (see CONTRIBUTING.md). */
export const sharedData = fileURLToPath(new URL('../../../../shared/data', import.meta.url))
export const hasSharedData = existsSync(sharedData)

/** A Python with nibabel, or undefined. */
export const nibabelPython = pythonWith('nibabel')
/** A Python with pydicom and nibabel, or undefined. */
export const pydicomPython = pythonWith('pydicom, nibabel')

function pythonWith(modules: string): string | undefined {
  return ['/usr/bin/python3', 'python3'].find((python) => {
    try {
      execFileSync(python, ['-c', `import ${modules}`], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
}

/** Runs a Python script with arguments and parses the JSON it prints. */
export function runPython(python: string, script: string, ...args: string[]): unknown {
  const options = { encoding: 'utf8', maxBuffer: 1 << 28 } as const
  return JSON.parse(execFileSync(python, ['-W', 'ignore', '-c', script, ...args], options))
}
