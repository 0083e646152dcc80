import { applyAll, type Operator, sizeOf, type Tensor } from '../graph/tensor.ts'
import { emitAffinePlanes } from './affine-planes.ts'
import { affineChannels, blockOf, fromBlocked, sumChannels, sumProducts, toBlocked } from './blocked-channels.ts'
import { reduceSum } from './broadcast.ts'
import { instanceNormGradient } from './instance-norm-gradient.ts'
import { leakyReluGradient } from './leaky-relu-gradient.ts'
import { reshape } from './reshape.ts'

interface Attributes {
  readonly epsilon: number
  readonly slope: number
}

/** Outputs: y, the normalised x, and 1/√(variance + ε) of each plane; the backward pass needs all of them. */
const operator: Operator<Attributes> = {
  name: 'instanceNorm',
  infer: ([x, scale, bias]) => {
    const [n, c] = x.shape
    if (sizeOf(scale.shape) !== c || sizeOf(bias.shape) !== c) throw new Error(`instanceNorm: ${c} channels expected`)
    return [x, x, { shape: [n, c, 1], type: x.type }].map(({ shape, type }) => ({ shape, type }))
  },
  lower: (emit, [x, scale, bias], { inputs: [{ shape }], attributes: { epsilon, slope } }) => {
    const { device, purpose } = emit.target
    const attributes = { epsilon: { float: epsilon } }
    const leaky = (y: string) => emit.node('LeakyRelu', [y], { attributes: { alpha: { float: slope } } })[0]
    if (purpose === 'inference') return [leaky(emit.node('InstanceNormalization', [x, scale, bias], { attributes })[0])]
    const [n, c, ...spatial] = shape
    const size = sizeOf(spatial)
    const block = blockOf(emit, c)
    if (block !== undefined) {
      const blocked = toBlocked(emit, x, shape)
      const times = (a: string, b: string) => emit.node('Mul', [a, b])[0]
      const number = (value: number) => emit.constant(Float32Array.of(value), [])
      const lessMean = times(sumChannels(emit, blocked, shape, block), number(-1 / size))
      const ones = emit.constant(new Float32Array(n * c).fill(1), [n * c])
      const centred = affineChannels(emit, [blocked, ones, lessMean], shape)
      const variance = times(sumProducts(emit, [centred, centred], shape, block), number(1 / size))
      const [deviation] = emit.node('Sqrt', [emit.node('Add', [variance, number(epsilon)])[0]])
      const [inverse] = emit.node('Reciprocal', [deviation])
      const factor = times(inverse, emit.node('Reshape', [scale, emit.ints([1, c, 1])])[0])
      const [terms] = emit.node('Expand', [bias, emit.ints([n, c])])
      const y = affineChannels(emit, [centred, factor, terms], shape, {
        activation: { name: 'LeakyRelu', parameters: [slope] },
      })
      return [fromBlocked(emit, y, shape), fromBlocked(emit, centred, shape), inverse]
    }
    const [rows] = emit.node('Reshape', [x, emit.ints([n, c, size])])
    const ones = emit.constant(new Float32Array(size).fill(1), [size])
    const [normalised, , inverseDeviation] = emit.node('LayerNormalization', [rows, ones], { attributes, outputs: 3 })
    const ofPlanes = (name: string) => emit.node('Reshape', [name, emit.ints([1, c, 1])])[0]
    const y =
      device === 'cpu'
        ? emitAffinePlanes(emit, [normalised, scale, bias], { cases: n, planes: c, size, slope })
        : leaky(emit.node('Add', [emit.node('Mul', [normalised, ofPlanes(scale)])[0], ofPlanes(bias)])[0])
    const full = emit.ints(shape)
    return [...emit.node('Reshape', [y, full]), ...emit.node('Reshape', [normalised, full]), inverseDeviation]
  },
  gradient: ([g], { inputs: [x, scale, bias], outputs: [y, normalised, inverseDeviation], attributes: { slope } }) => {
    if (g === undefined) return []
    const [dx, sum, dot] = instanceNormGradient(leakyReluGradient(g, y, slope), normalised, inverseDeviation, scale)
    return [reshape(dx, x.shape), reshape(reduceSum(dot, [0]), scale.shape), reshape(reduceSum(sum, [0]), bias.shape)]
  },
}

/**
 * Each channel of each case brought to mean 0 and variance 1 over its voxels (ε as in PyTorch's InstanceNorm), then
 * scaled and shifted by learned numbers, one of each a channel, then leaky ReLU: what is below 0 times `slope` (0.01 is
 * PyTorch's and nnU-Net's).
 */
export function instanceNorm(x: Tensor, scale: Tensor, bias: Tensor, slope = 0.01, epsilon = 1e-5): Tensor {
  return applyAll(operator, [x, scale, bias], { epsilon, slope })[0]
}
