import { watchTemporaries } from '../formats/atomic-write.ts'
import { protectInputs } from '../formats/inputs.ts'
import { report } from './failure.ts'
import { filesBeforeLists } from './list-options.ts'
import { createProgram } from './program.ts'

protectInputs()

// For other programs, and so no command of `createProgram`. It writes to the descriptor itself: once `process.stdout`
// has been looked at, a pipe there no longer blocks.
const serving = process.argv[2] === 'serve' && process.argv.length === 3

// A reader that went away (`halfdice … | head`) is no failure.
if (!serving) {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : report(Object.assign(error, { path: 'standard output' })))
  })
}

// An error outside of any promise that we await (in a stream, a worker) is told like any other.
process.on('uncaughtException', (error) => process.exit(report(error)))

// While temporary files exist, a signal becomes an exit, which removes them. Otherwise its default action is the better
// one: it also ends a computation that leaves no time for handlers.
const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const
const handlers = Object.entries(signals).map(([name, number]) => [name, () => process.exit(128 + number)] as const)
let held = false
let release: NodeJS.Timeout | undefined
watchTemporaries((busy) => {
  clearTimeout(release)
  if (busy && !held) {
    for (const [name, handler] of handlers) process.on(name, handler)
    held = true
  } else if (!busy && held) {
    // Not at once: a signal that has arrived but not yet been dispatched would be lost with its handler.
    release = setTimeout(() => {
      for (const [name, handler] of handlers) process.off(name, handler)
      held = false
    }, 50).unref()
  }
})

try {
  if (serving) await (await import('./serve.ts')).serve()
  else {
    const argv = filesBeforeLists(process.argv.slice(2))
    const program = await createProgram(argv)
    await program.parseAsync(argv, { from: 'user' })
  }
} catch (error) {
  process.exitCode = report(error)
}
