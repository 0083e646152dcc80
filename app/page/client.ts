import type { Reply } from '../worker/rpc.ts'

/** A call that a later one has overtaken: nobody waits for its answer. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken'
}

/** What went wrong, in one sentence that the user is shown. */
export class Fault extends Error {
  override readonly name = 'Fault'
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly tell: ((progress: number) => void) | undefined
  readonly line: string | undefined
}

/**
 * A worker and the calls that are under way. Calls of one line overtake each other: the newer one cancels the older,
 * which is left out if its turn has not come, and stopped with its worker if it can be (see `restart`).
 */
export class Client {
  #worker: Worker
  readonly #url: URL
  readonly #waiting = new Map<number, Waiting>()
  #next = 0

  constructor(url: URL) {
    this.#url = url
    this.#worker = this.#start()
  }

  #start(): Worker {
    const worker = new Worker(this.#url, { type: 'module' })
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => this.#settle(data))
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      this.#failAll(`the page's worker failed (${event.message || 'it could not be loaded'}); reload the page`)
    })
    return worker
  }

  /** Calls a function of the worker. Rejects with a Fault, or Overtaken where a later call of the same line came. */
  call<T>(name: string, args: unknown, options: CallOptions = {}): Promise<T> {
    const { line, tell, transfer = [] } = options
    if (line !== undefined) this.cancel(line)
    const id = this.#next++
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, tell, line })
      this.#worker.postMessage({ id, name, args }, [...transfer])
    })
  }

  cancel(line: string): void {
    for (const [id, one] of this.#waiting) {
      if (one.line !== line) continue
      this.#waiting.delete(id)
      this.#worker.postMessage({ cancel: id })
      one.reject(new Overtaken())
    }
  }

  /** Counts restarts: what a worker was given is gone when it has changed. */
  generation = 0

  /** Whether answers are still to come. */
  get busy(): boolean {
    return this.#waiting.size > 0
  }

  /** Stops whatever is being computed; the new worker knows nothing of what the old one was given. */
  restart(): void {
    this.#worker.terminate()
    this.generation++
    for (const one of this.#waiting.values()) one.reject(new Overtaken())
    this.#waiting.clear()
    this.#worker = this.#start()
  }

  #settle(reply: Reply): void {
    const one = this.#waiting.get(reply.id)
    if (!one) return
    if ('progress' in reply) {
      one.tell?.(reply.progress)
      return
    }
    this.#waiting.delete(reply.id)
    if ('fault' in reply) one.reject(new Fault(reply.fault))
    else one.resolve(reply.value)
  }

  #failAll(fault: string): void {
    for (const one of this.#waiting.values()) one.reject(new Fault(fault))
    this.#waiting.clear()
  }
}

export interface CallOptions {
  /** Calls of one line overtake each other. */
  readonly line?: string
  readonly tell?: (progress: number) => void
  readonly transfer?: readonly Transferable[]
}
