import { applyAll, formatShape, type Operator, type Tensor } from '../graph/tensor.ts'
import { maxPoolGradient } from './max-pool-gradient.ts'

/** Outputs: the maxima, and where each one stood in the flattened input. */
const operator: Operator<undefined> = {
  name: 'maxPool',
  infer: ([{ shape, type }]) => {
    const [n, c, ...spatial] = shape
    if (spatial.some((size) => size % 2 !== 0)) throw new Error(`maxPool of odd size: ${formatShape(shape)}`)
    const half = [n, c, ...spatial.map((size) => size / 2)]
    return [
      { shape: half, type },
      { shape: half, type: 'int64' },
    ]
  },
  lower: (emit, [x], { inputs, outputs }) => {
    const twos = { ints: inputs[0].shape.slice(2).map(() => 2) }
    const attributes = { kernel_shape: twos, strides: twos }
    // Other devices know no indices; maxPoolGradient finds the maxima again there.
    if (emit.target.device !== 'cpu') {
      const [y] = emit.node('MaxPool', [x], { attributes })
      return [y, y]
    }
    return emit.node('MaxPool', [x], { attributes, outputs: emit.isUsed(outputs[1]) ? 2 : 1 })
  },
  gradient: ([g], { inputs: [x], outputs: [y, indices] }) =>
    g === undefined ? [] : [maxPoolGradient(g, x, y, indices)],
}

/** The largest of each 2×2(×2) block. */
export function maxPool(x: Tensor): Tensor {
  return applyAll(operator, [x], undefined)[0]
}
