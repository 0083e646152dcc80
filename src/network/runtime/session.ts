import { availableParallelism, loadavg } from 'node:os'
import { pathToFileURL } from 'node:url'
// The runtime itself is optional; its types are not.
import type * as Ort from 'onnxruntime-common'
import { InputError } from '../../volume/errors.ts'
import { ownCommand } from '../../volume/own-package.ts'
import { compile } from '../graph/compile.ts'
import { type Device, sizeOf } from '../graph/tensor.ts'
import { encodeModel } from '../onnx/encode.ts'
import { input } from '../ops/input.ts'
import { requireRuntime } from './locate.ts'
import { mayHaveVulkan, vulkanRemedy } from './vulkan.ts'

export interface SessionOptions {
  /** Where the graph runs; default `cpu`. */
  readonly device?: Device
  /** Threads of one operator; default: the machine's cores. Results are reproducible for one number of threads. */
  readonly threads?: number
  /** Writes a profile that chrome://tracing reads, with this file name prefix. */
  readonly profile?: string
  /**
   * By output, the input that it becomes in the next run: a training step's state. Such outputs are not returned, and
   * by WebGPU they stay on the GPU.
   */
  readonly carry?: Readonly<Record<string, string>>
  /**
   * By WebGPU, convolutions read images as the graph has them. The runtime would put channels last, which its operators
   * for images like; those for volumes read numbers that lie far apart then.
   */
  readonly channelsFirst?: boolean
}

/** Numbers with their shape: what sessions take and give. */
export interface NdArray {
  readonly data: Float32Array
  readonly shape: readonly number[]
}

export interface Session {
  /** Runs the graph. What is carried is fed by the run before, unless `feeds` names it. */
  run(feeds: Readonly<Record<string, NdArray>>): Promise<Record<string, NdArray>>
  /** What the last run has left for the next, by input. Valid until then. */
  carried(): Promise<Record<string, NdArray>>
  dispose(): Promise<void>
}

/**
 * Loads an ONNX model into ONNX Runtime.
 *
 * @throws InputError where the runtime or the device is missing, and where the bytes are not a model.
 */
export async function createSession(bytes: Uint8Array, options: SessionOptions = {}): Promise<Session> {
  const { device = 'cpu', threads, profile, carry = {}, channelsFirst = false } = options
  const ort = await loadRuntime()
  if (device === 'webgpu' && !mayHaveVulkan()) throw deviceMissing(device)
  const onDevice = device === 'webgpu'
  const webgpu: Ort.InferenceSession.WebGpuExecutionProviderOption = {
    name: 'webgpu',
    ...(channelsFirst && { preferredLayout: 'NCHW' }),
    // Steps are alike: arrays of the last serve the next. By default the runtime rounds sizes up and keeps few of each,
    // so that every step asks the driver for new memory.
    ...(Object.keys(carry).length > 0 && { storageBufferCacheMode: 'simple' }),
  }
  let session: Ort.InferenceSession
  try {
    session = await ort.InferenceSession.create(bytes, {
      // The CPU is not listed: it runs operators that the device lacks anyway, and listed it would hide a missing
      // device.
      executionProviders: [onDevice ? webgpu : device],
      // 'extended' fuses Transpose + MatMul, 'all' lets convolutions with constant weights use blocked channels.
      graphOptimizationLevel: 'all',
      // Memory planned ahead of the first run costs a third more at the peak, and saves 3 to 9 % of a step.
      enableMemPattern: false,
      // 4 hides warnings: the optimiser's are harmless for our graphs, and errors arrive as exceptions.
      logSeverityLevel: 4,
      extra: { session: { intra_op: { allow_spinning: machineIsBusy() ? '0' : '1' } } },
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
      ...(onDevice && { preferredOutputLocation: mapped(carry, () => 'gpu-buffer' as const) }),
    })
  } catch (error) {
    throw sessionError(error, device)
  }
  /** By input. Off the GPU, the arrays of the run before last are written into by the next. */
  let [held, spare]: Tensors[] = [{}, {}]
  return {
    run: async (feeds) => {
      const inputs: Tensors = { ...held, ...mapped(feeds, (array) => tensorOf(ort, array)) }
      const fetches: Record<string, Ort.Tensor | null> = {}
      for (const name of session.outputNames) fetches[name] = spare[carry[name] ?? ''] ?? null
      const results = await runOrExplain(() => session.run(inputs, fetches))
      const arrays: Record<string, NdArray> = {}
      const next: Tensors = {}
      for (const [name, tensor] of Object.entries(results)) {
        const becomes = carry[name]
        if (becomes === undefined) arrays[name] = arrayOf(tensor)
        else next[becomes] = fetches[name] ?? tensor
      }
      if (onDevice) for (const tensor of Object.values(held)) tensor.dispose()
      else spare = held
      held = next
      return arrays
    },
    carried: async () => mapped(onDevice ? await fromDevice(ort, held) : held, arrayOf),
    dispose: async () => {
      if (profile !== undefined) session.endProfiling()
      if (onDevice) for (const tensor of Object.values(held)) tensor.dispose()
      await session.release()
    },
  }
}

type Tensors = Record<string, Ort.Tensor>

/** What lies on the GPU, by a graph that does nothing: the runtime's Node binding has no other way down. */
async function fromDevice(ort: typeof Ort, tensors: Tensors): Promise<Tensors> {
  const inputs = mapped(tensors, ({ dims }) => input(dims))
  const outputs = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [`copy of ${name}`, tensor]))
  const bytes = encodeModel(compile({ inputs, outputs }, { device: 'webgpu', purpose: 'train' }))
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['webgpu'], logSeverityLevel: 4 })
  const copies = await session.run(tensors)
  await session.release()
  return Object.fromEntries(Object.keys(tensors).map((name) => [name, copies[`copy of ${name}`]]))
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

function arrayOf(tensor: Ort.Tensor): NdArray {
  return { data: tensor.data as Float32Array, shape: tensor.dims }
}

function mapped<A, B>(record: Readonly<Record<string, A>>, to: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value)]))
}

async function runOrExplain<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (memoryFaults.test(message)) throw outOfMemory()
    throw error
  }
}

/** Of ONNX Runtime's messages; the last two are WebGPU's where an array is larger than the device takes. */
const memoryFaults =
  /bad_alloc|failed to allocate|out of memory|allocation failed|too many storage buffers|\[Invalid Buffer/i

function outOfMemory(): InputError {
  return new InputError('memory', 'not enough for this network; use a smaller patch, batch or number of channels')
}

function sessionError(error: unknown, device: Device): Error {
  const message = error instanceof Error ? error.message : String(error)
  if (memoryFaults.test(message)) return outOfMemory()
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
