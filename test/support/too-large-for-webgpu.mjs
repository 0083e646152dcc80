// Asks WebGPU for an array of 8 GiB, beyond what any device binds; fails with what a user would see.
import { compile } from '../../dist/network/graph/compile.js'
import { encodeModel } from '../../dist/network/onnx/encode.js'
import { broadcastTo, reduceSum } from '../../dist/network/ops/broadcast.js'
import { input } from '../../dist/network/ops/input.js'
import { multiply } from '../../dist/network/ops/multiply.js'
import { createSession } from '../../dist/network/runtime/session.js'

const x = input([1])
const many = broadcastTo(x, [2 ** 31])
const plan = { inputs: { x }, outputs: { sum: reduceSum(multiply(many, many)) } }
const bytes = encodeModel(compile(plan, { device: 'webgpu', purpose: 'train' }))
const session = await createSession(bytes, { device: 'webgpu' })
await session.run({ x: { data: new Float32Array(1), shape: [1] } }).catch((error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
