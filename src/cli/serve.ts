import { describe } from './failure.ts'
import { type Answer, type Frame, FrameReader, writeFrame } from './serve/frames.ts'
import { methods } from './serve/methods.ts'

/**
 * `halfdice serve`: answers calls of another program, such as the Python package, until standard input ends. Calls come
 * on standard input and answers go to standard output, both as frames (docs/python.md, "Other languages"). It is for
 * programs, and so not among the commands that the help lists.
 */
export async function serve(): Promise<void> {
  // Ctrl-C in a terminal reaches all programs in it; the one that started this decides when it ends.
  process.on('SIGINT', () => {})
  const reader = new FrameReader(0)
  for (let call = reader.next(); call !== undefined; call = reader.next()) {
    if (!writeFrame(1, await answer(call))) return
  }
}

async function answer({ id, method, params, arrays }: Frame): Promise<Answer> {
  try {
    const run = methods[method]
    if (run === undefined) throw new Error(`there is no method ${method}`)
    return { id, ...(await run(params, arrays())) }
  } catch (error) {
    if (process.env.HALFDICE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
    const { code, text } = describe(error)
    return { id, error: { kind: code === 2 ? 'input' : 'run', message: text }, arrays: [] }
  }
}
