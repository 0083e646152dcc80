#!/usr/bin/env node
import { report } from './failure.ts'
import { createProgram } from './program.ts'

// A reader that went away (`halfdice … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
// Exiting runs the 'exit' handlers, which remove temporary files; the signal's default action would not.
for (const [signal, number] of [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.once(signal, () => process.exit(128 + number))
}

try {
  const argv = process.argv.slice(2)
  const program = await createProgram(argv)
  await program.parseAsync(argv, { from: 'user' })
} catch (error) {
  process.exitCode = report(error)
}
