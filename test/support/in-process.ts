import { vi } from 'vitest'

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

let first = true

/**
 * Runs the command line from its sources in this process. Threads have no folder of their own, and workers are built
 * files: a run with `cwd` is refused, and each runs on one thread.
 */
export async function runInProcess(
  args: readonly string[],
  { cwd, env }: { cwd?: string; env?: NodeJS.ProcessEnv },
): Promise<Outcome> {
  // The command line protects what it has read from being written; its modules are not those of the test.
  if (first) vi.resetModules()
  first = false
  if (cwd !== undefined) throw new Error('a command cannot run in another folder within this process')
  const { report } = await import('../../src/cli/failure.ts')
  const { filesBeforeLists } = await import('../../src/cli/list-options.ts')
  const { createProgram } = await import('../../src/cli/program.ts')
  const written = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text)
      return true
    }),
  )
  const before = { ...process.env }
  Object.assign(process.env, { HALFDICE_DEBUG: '', ...env })
  let code = 0
  try {
    const oneThread =
      ['sample', 'tune', 'threshold', 'evaluate'].includes(args[0]) && !args.includes('--help')
        ? ['--threads', '1']
        : []
    const argv = filesBeforeLists([...args, ...oneThread])
    const program = await createProgram(argv)
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    code = report(error)
  } finally {
    process.env = before
    for (const spy of spies) spy.mockRestore()
  }
  // Quiet lasts as long as its process.
  if (args.includes('-q') || args.includes('--quiet')) vi.resetModules()
  return { code, ...written }
}
