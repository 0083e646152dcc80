/** What the page asks of a worker, and the answer. Errors are one sentence, as on the command line. */
export interface Call {
  readonly id: number
  readonly name: string
  readonly args: unknown
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly fault: string }
  | { readonly id: number; readonly progress: number }

/** A result with the memory that goes over to the page instead of being copied. */
export class Moved<T> {
  readonly value: T
  readonly buffers: readonly ArrayBufferLike[]

  constructor(value: T, buffers: readonly ArrayBufferLike[]) {
    this.value = value
    this.buffers = buffers
  }
}

export type Tell = (progress: number) => void
// biome-ignore lint/suspicious/noExplicitAny: each function has arguments of its own; `Client` gives them types.
export type Functions = Readonly<Record<string, (args: any, tell: Tell) => unknown>>

/**
 * Answers calls one after the other, in their order; what was cancelled before its turn is passed over.
 *
 * @param aside functions that take long and wait in between: other calls are answered meanwhile
 */
export function answerCalls(
  functions: Functions,
  describe: (error: unknown) => string,
  aside: ReadonlySet<string>,
): void {
  const cancelled = new Set<number>()
  let last: Promise<unknown> = Promise.resolve()
  self.addEventListener('message', ({ data }: MessageEvent<Call | { readonly cancel: number }>) => {
    if ('cancel' in data) {
      cancelled.add(data.cancel)
      return
    }
    if (aside.has(data.name)) {
      last.then(() => answer(data))
      return
    }
    // A turn of the event loop first, so that cancellations that have arrived are seen.
    last = last.then(() => new Promise((next) => setTimeout(next))).then(() => answer(data))
  })

  async function answer({ id, name, args }: Call): Promise<void> {
    if (cancelled.delete(id)) return
    try {
      const result = await functions[name](args, (progress) => post({ id, progress }))
      const moved = result instanceof Moved
      post({ id, value: moved ? result.value : result }, moved ? result.buffers : [])
    } catch (error) {
      post({ id, fault: describe(error) })
    }
  }
}

function post(reply: Reply, buffers: readonly ArrayBufferLike[] = []): void {
  postMessage(reply, { transfer: [...buffers] as ArrayBuffer[] })
}
