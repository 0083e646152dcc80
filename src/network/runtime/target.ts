import type { Device, Target } from '../graph/tensor.ts'
import { encodeModel } from '../onnx/encode.ts'
import { dataTypes } from '../onnx/model.ts'
import { createSession } from './session.ts'

let block: Promise<number | undefined> | undefined

/** What training graphs on this machine are lowered for: asks the runtime, once, for its block of channels. */
export async function trainTarget(device: Device): Promise<Target> {
  if (device !== 'cpu') return { device, purpose: 'train' }
  block ??= probeChannelBlock()
  const channelBlock = await block
  return { device, purpose: 'train', ...(channelBlock && { channelBlock }) }
}

/**
 * The number of channels that ONNX Runtime's blocked layout keeps together here (16 with AVX-512, else 8), or undefined
 * where it has no such layout: four channels put into that layout become one block.
 */
async function probeChannelBlock(): Promise<number | undefined> {
  const value = (name: string) => ({ name, elementType: dataTypes.float32, shape: [1, 'channels', 1, 1] })
  const node = {
    name: 'n',
    opType: 'ReorderInput',
    domain: 'com.microsoft.nchwc',
    input: ['x'],
    output: ['y'],
    attribute: [],
  }
  const bytes = encodeModel({
    irVersion: 10,
    producerName: 'halfdice',
    graph: { name: 'probe', node: [node], initializer: [], input: [value('x')], output: [value('y')] },
    opsetImport: [
      { domain: '', version: 21 },
      { domain: node.domain, version: 1 },
    ],
    metadataProps: [],
  })
  try {
    const session = await createSession(bytes, { threads: 1 })
    const { y } = await session.run({ x: { data: new Float32Array(4), shape: [1, 4, 1, 1] } })
    await session.dispose()
    return y.shape[1] > 4 ? y.shape[1] : undefined
  } catch {
    return undefined
  }
}
