import { apply, formatShape, type Operator, type Tensor } from '../graph/tensor.ts'
import { convBlocked, convByBlockedPlanes, convByPlanes } from './conv-formulations.ts'
import { convWeightGradient } from './conv-weight-gradient.ts'
import { flipKernel } from './flip-kernel.ts'

/** With this many weights for each kernel offset (256 × 256 channels) the plain product is faster than blocks. */
const PLAIN_FROM = 256 * 256

const operator: Operator<undefined> = {
  name: 'conv',
  infer: ([x, w]) => {
    const kernel = w.shape.slice(2)
    if (w.shape.length !== x.shape.length || w.shape[1] !== x.shape[1] || kernel.some((k) => k % 2 === 0)) {
      throw new Error(`conv of ${formatShape(x.shape)} with ${formatShape(w.shape)}`)
    }
    return [{ shape: [x.shape[0], w.shape[0], ...x.shape.slice(2)], type: x.type }]
  },
  lower: (emit, [x, w], { inputs: [{ shape }, { shape: wShape }] }) => {
    const [cases, inputs, ...spatial] = shape
    const [outputs, , ...kernel] = wShape
    if (emit.target.device === 'cpu' && kernel.every((k) => k === 3)) {
      const size = { cases, inputs, outputs, spatial }
      const block = emit.target.channelBlock
      const outputsFit = block !== undefined && outputs % block === 0
      if (spatial.length === 3) {
        const fit = outputsFit && (inputs % block === 0 || inputs < block)
        return [fit ? convByBlockedPlanes(emit, x, w, size, block) : convByPlanes(emit, x, w, size)]
      }
      if (outputsFit && inputs % block === 0 && inputs * outputs < PLAIN_FROM) return [convBlocked(emit, x, w, block, size)]
    }
    const pads = kernel.map((k) => (k - 1) / 2)
    const attributes = { kernel_shape: { ints: kernel }, pads: { ints: [...pads, ...pads] } }
    return emit.node('Conv', [x, w], { attributes })
  },
  gradient: ([g], { inputs: [x, w] }) =>
    g === undefined ? [] : [conv(g, flipKernel(w)), convWeightGradient(x, g, w.shape.slice(2))],
}

/**
 * Cross-correlation of x [cases, in, …] with w [out, in, kernel…] (odd kernel sizes, stride 1), zeros beyond the
 * border, so that the image keeps its size.
 */
export function conv(x: Tensor, w: Tensor): Tensor {
  return apply(operator, [x, w], undefined)
}
