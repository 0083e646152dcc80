import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { RunError } from '../volume/errors.ts'

/** An image as itk-wasm passes it: components interleaved, LPS world, direction row-major. */
export interface ItkImage {
  imageType: { dimension: number; componentType: string; pixelType: string; components: number }
  name: string
  origin: number[]
  spacing: number[]
  direction: Float64Array
  size: number[]
  data: ArrayBufferView | null
  metadata: Map<string, unknown>
}

/** Calls a function of @itk-wasm/image-io by name. */
export type ItkCall = <T>(name: string, bytes: number, ...args: unknown[]) => Promise<T>

/** ITK could not do it: its WebAssembly build gives no reason. */
export class ItkFailure extends Error {
  override readonly name = 'ItkFailure'
}

/**
 * Runs inside the thread, from a data: URL: such a module is ESM whatever flags Node was started with, and no file has
 * to be found beside this one.
 */
const workerSource = `
import { parentPort, workerData } from 'node:worker_threads'
const library = import(workerData)
library.catch((error) => parentPort.postMessage({ broken: String(error) }))
parentPort.on('message', async ({ name, args }) => {
  const functions = await library
  try {
    const result = await functions[name](...args)
    const data = (result.image ?? result).data
    const owned = ArrayBuffer.isView(data) && data.buffer instanceof ArrayBuffer
    parentPort.postMessage({ result }, owned ? [data.buffer] : [])
  } catch (error) {
    parentPort.postMessage({ failure: String(error) })
  }
})`

/** ITK reads tens of megabytes a second; a file that takes longer than this is one that it will never finish. */
const limitMs = 60_000
const limitMsPerByte = 1e-3

/**
 * Lends a thread in which ITK's WebAssembly runs, loaded on first use. In a thread, a file that makes ITK abort, exit,
 * print or hang does no harm to this process.
 *
 * @throws RunError where the thread or ITK itself does not start
 */
export async function withItk<T>(use: (call: ItkCall) => Promise<T>): Promise<T> {
  const worker = startWorker()
  // What ITK prints is not for the user.
  worker.stdout.resume()
  worker.stderr.resume()
  try {
    return await use((name, bytes, ...args) => callIn(worker, limitMs + bytes * limitMsPerByte, name, args))
  } finally {
    await worker.terminate()
  }
}

/** The process's own flags (`--input-type`, loaders, inspectors) are not for this thread. */
function startWorker(): Worker {
  try {
    const source = new URL(`data:text/javascript,${encodeURIComponent(workerSource)}`)
    return new Worker(source, { workerData: libraryAddress(), execArgv: [], stdout: true, stderr: true })
  } catch (error) {
    throw notStarted(error)
  }
}

/** In the package, what is needed of the library lies beside this file (scripts/bundle.mjs). */
function libraryAddress(): string {
  const bundled = new URL('./itk.js', import.meta.url)
  if (existsSync(bundled)) return bundled.href
  return pathToFileURL(createRequire(import.meta.url).resolve('@itk-wasm/image-io')).href
}

function notStarted(reason: unknown): RunError {
  const message = reason instanceof Error ? reason.message : String(reason)
  return new RunError('ITK', `could not be started (${message.split('\n')[0]}); install halfdice again`)
}

function callIn<T>(worker: Worker, limitMs: number, name: string, args: unknown[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(new ItkFailure('did not finish'))), limitMs)
    const onMessage = (message: { result?: T; failure?: string; broken?: string }) =>
      settle(() => {
        if (message.broken !== undefined) reject(notStarted(message.broken))
        else if ('result' in message) resolve(message.result as T)
        else reject(new ItkFailure(message.failure))
      })
    const onError = (error: Error & { code?: unknown }) =>
      settle(() => {
        const full = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        reject(full ? new RunError('ITK', 'ran out of memory; close other programs') : new ItkFailure(error.message))
      })
    const onExit = () => settle(() => reject(new ItkFailure('exited')))
    const settle = (outcome: () => void) => {
      clearTimeout(timer)
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      outcome()
    }
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    worker.postMessage({ name, args })
  })
}
