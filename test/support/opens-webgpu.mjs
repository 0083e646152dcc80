// node opens-webgpu.mjs: succeeds where a WebGPU session opens and adds two numbers. The graph is as small as can be,
// so that a fault of ours in a larger one is not taken for a missing device.
import { compile } from '../../dist/network/graph/compile.js'
import { encodeModel } from '../../dist/network/onnx/encode.js'
import { add } from '../../dist/network/ops/add.js'
import { input } from '../../dist/network/ops/input.js'
import { createSession } from '../../dist/network/runtime/session.js'

const [a, b] = [input([1]), input([1])]
const model = compile({ inputs: { a, b }, outputs: { sum: add(a, b) } }, { device: 'webgpu', purpose: 'train' })
try {
  const session = await createSession(encodeModel(model), { device: 'webgpu' })
  const number = (value) => ({ data: Float32Array.of(value), shape: [1] })
  const { sum } = await session.run({ a: number(1), b: number(2) })
  await session.dispose()
  if (sum.data[0] !== 3) throw new Error(`1 + 2 = ${sum.data[0]} on WebGPU`)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
