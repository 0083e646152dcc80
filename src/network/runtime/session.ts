import { availableParallelism, loadavg } from 'node:os'
import { pathToFileURL } from 'node:url'
// The runtime itself is optional; its types are not.
import type * as Ort from 'onnxruntime-common'
import { InputError } from '../../volume/errors.ts'
import { ownCommand } from '../../volume/own-package.ts'
import { type Device, sizeOf } from '../graph/tensor.ts'
import { requireRuntime } from './locate.ts'
import { mayHaveVulkan, vulkanRemedy } from './vulkan.ts'

export interface SessionOptions {
  /** Where the graph runs; default `cpu`. */
  readonly device?: Device
  /** Threads of one operator; default: the machine's cores. Results are reproducible for one number of threads. */
  readonly threads?: number
  /** Writes a profile that chrome://tracing reads, with this file name prefix. */
  readonly profile?: string
}

/** Numbers with their shape: what sessions take and give. */
export interface NdArray {
  readonly data: Float32Array
  readonly shape: readonly number[]
}

export interface Session {
  /** Runs the graph. Results are written into the arrays of `into` where given, else into new ones. */
  run(
    feeds: Readonly<Record<string, NdArray>>,
    into?: Readonly<Record<string, NdArray>>,
  ): Promise<Record<string, NdArray>>
  dispose(): Promise<void>
}

/**
 * Loads an ONNX model into ONNX Runtime.
 *
 * @throws InputError where the runtime or the device is missing, and where the bytes are not a model.
 */
export async function createSession(bytes: Uint8Array, options: SessionOptions = {}): Promise<Session> {
  const { device = 'cpu', threads, profile } = options
  const ort = await loadRuntime()
  if (device === 'webgpu' && !mayHaveVulkan()) throw deviceMissing(device)
  let session: Ort.InferenceSession
  try {
    session = await ort.InferenceSession.create(bytes, {
      // The CPU is not listed: it runs operators that the device lacks anyway, and listed it would hide a missing
      // device.
      executionProviders: [device],
      // 'extended' fuses Transpose + MatMul, 'all' lets convolutions with constant weights use blocked channels.
      graphOptimizationLevel: 'all',
      // Memory planned ahead of the first run costs a third more at the peak, and saves 3 to 9 % of a step.
      enableMemPattern: false,
      // 4 hides warnings: the optimiser's are harmless for our graphs, and errors arrive as exceptions.
      logSeverityLevel: 4,
      extra: { session: { intra_op: { allow_spinning: machineIsBusy() ? '0' : '1' } } },
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    })
  } catch (error) {
    throw sessionError(error, device)
  }
  return {
    run: async (feeds, into = {}) => {
      const inputs: Record<string, Ort.Tensor> = {}
      for (const [name, array] of Object.entries(feeds)) inputs[name] = tensorOf(ort, array)
      const fetches: Record<string, Ort.Tensor | null> = {}
      for (const name of session.outputNames)
        fetches[name] = into[name] === undefined ? null : tensorOf(ort, into[name])
      const results = await runOrExplain(() => session.run(inputs, fetches))
      const arrays: Record<string, NdArray> = {}
      for (const [name, { data, dims }] of Object.entries(results)) {
        arrays[name] = into[name] ?? { data: data as Float32Array, shape: dims }
      }
      return arrays
    },
    dispose: async () => {
      if (profile !== undefined) session.endProfiling()
      await session.release()
    },
  }
}

/**
 * Whether other programs compute on this machine too. ONNX Runtime's threads wait for each other in a busy loop:
 * fastest while every thread has a core, two to three times slower otherwise. On Windows the load is always 0.
 */
function machineIsBusy(): boolean {
  return loadavg()[0] > 1.5 * availableParallelism()
}

async function loadRuntime(): Promise<typeof Ort> {
  const { path } = requireRuntime()
  let ort: typeof Ort
  try {
    ort = ((await import(pathToFileURL(path).href)) as { default: typeof Ort }).default
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new InputError(path, `could not be loaded (${reason}); remove it and run: ${ownCommand()} runtime`)
  }
  // Errors come as exceptions; without this the runtime prints them a second time.
  ort.env.logLevel = 'fatal'
  return ort
}

function tensorOf(ort: typeof Ort, { data, shape }: NdArray): Ort.Tensor {
  if (data.length !== sizeOf(shape)) throw new Error(`${data.length} numbers for shape ${shape.join('×')}`)
  return new ort.Tensor('float32', data, shape)
}

async function runOrExplain<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (isShortOfMemory(message)) throw outOfMemory()
    throw error
  }
}

function isShortOfMemory(message: string): boolean {
  return /bad_alloc|failed to allocate|out of memory|allocation failed/i.test(message)
}

function outOfMemory(): InputError {
  return new InputError('memory', 'not enough for this network; use a smaller patch, batch or number of channels')
}

function sessionError(error: unknown, device: Device): Error {
  const message = error instanceof Error ? error.message : String(error)
  if (isShortOfMemory(message)) return outOfMemory()
  // When the device is missing, the runtime's message names the provider; any other message means a damaged model.
  return device !== 'cpu' && /adapter|webgpu|cuda|provider/i.test(message) ? deviceMissing(device) : new Error(message)
}

function deviceMissing(device: 'cuda' | 'webgpu'): InputError {
  if (device === 'cuda') {
    const remedy = 'install CUDA 12 and cuDNN 9, then npm install onnxruntime-node --onnxruntime-node-install=cuda12'
    return new InputError('--device cuda', `ONNX Runtime finds no CUDA device; ${remedy}`)
  }
  const remedy = process.platform === 'linux' ? `${vulkanRemedy}; or` : "update the graphics card's driver, or"
  return new InputError('--device webgpu', `ONNX Runtime finds no WebGPU adapter; ${remedy} use --device cpu`)
}
