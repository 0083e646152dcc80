import { applyAll, type Operator, sizeOf, type Tensor } from '../graph/tensor.ts'
import { reduceSum } from './broadcast.ts'
import { instanceNormGradient } from './instance-norm-gradient.ts'
import { reshape } from './reshape.ts'

interface Attributes {
  readonly epsilon: number
}

/** Outputs: y, the normalised x, and 1/√(variance + ε) of each plane; the backward pass needs the latter two. */
const operator: Operator<Attributes> = {
  name: 'instanceNorm',
  infer: ([x, scale, bias]) => {
    const [n, c] = x.shape
    if (sizeOf(scale.shape) !== c || sizeOf(bias.shape) !== c) throw new Error(`instanceNorm: ${c} channels expected`)
    return [x, x, { shape: [n, c, 1], type: x.type }].map(({ shape, type }) => ({ shape, type }))
  },
  lower: (emit, [x, scale, bias], { inputs: [{ shape }], attributes: { epsilon } }) => {
    const attributes = { epsilon: { float: epsilon } }
    if (emit.target.purpose === 'inference') return emit.node('InstanceNormalization', [x, scale, bias], { attributes })
    const [n, c, ...spatial] = shape
    const size = sizeOf(spatial)
    const [rows] = emit.node('Reshape', [x, emit.ints([n, c, size])])
    const ones = emit.constant(new Float32Array(size).fill(1), [size])
    const [normalised, , inverseDeviation] = emit.node('LayerNormalization', [rows, ones], { attributes, outputs: 3 })
    const [scaled] = emit.node('Mul', [normalised, emit.node('Reshape', [scale, emit.ints([1, c, 1])])[0]])
    const [shifted] = emit.node('Add', [scaled, emit.node('Reshape', [bias, emit.ints([1, c, 1])])[0]])
    const full = emit.ints(shape)
    return [...emit.node('Reshape', [shifted, full]), ...emit.node('Reshape', [normalised, full]), inverseDeviation]
  },
  gradient: ([g], { inputs: [x, scale, bias], outputs: [, normalised, inverseDeviation] }) => {
    if (g === undefined) return []
    const [dx, sum, dot] = instanceNormGradient(g, normalised, inverseDeviation, scale)
    return [reshape(dx, x.shape), reshape(reduceSum(dot, [0]), scale.shape), reshape(reduceSum(sum, [0]), bias.shape)]
  },
}

/**
 * Each channel of each case brought to mean 0 and variance 1 over its voxels (ε as in PyTorch's InstanceNorm), then
 * scaled and shifted by learned numbers, one of each a channel.
 */
export function instanceNorm(x: Tensor, scale: Tensor, bias: Tensor, epsilon = 1e-5): Tensor {
  return applyAll(operator, [x, scale, bias], { epsilon })[0]
}
