import { compile } from './graph/compile.ts'
import { encodeModel } from './onnx/encode.ts'
import { input } from './ops/input.ts'
import { sigmoid } from './ops/sigmoid.ts'
import { constantParameters } from './parameters.ts'
import { sizeMultiple, type UNetPlan, unet } from './unet.ts'

/**
 * The bytes of a trained net as an ONNX file of standard operators: `image` [batch, channels, …] in, `probability`
 * [batch, outputs, …] out, for any batch and any size that is a multiple of sizeMultiple.
 */
export function exportModel(
  plan: UNetPlan,
  parameters: Float32Array,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const axes = plan.dimensions === 2 ? ['height', 'width'] : ['depth', 'height', 'width']
  const image = input([1, plan.inputChannels, ...axes.map(() => sizeMultiple(plan))])
  const probability = sigmoid(unet(plan, image, constantParameters(parameters)))
  const symbolicShapes = {
    image: ['batch', plan.inputChannels, ...axes],
    probability: ['batch', plan.outputs, ...axes],
  }
  const graph = { inputs: { image }, outputs: { probability }, symbolicShapes, metadata }
  return encodeModel(compile(graph, { device: 'cpu', purpose: 'inference' }))
}
