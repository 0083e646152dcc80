import { applyAll, type Emitter, type Operator, sizeOf, type Tensor } from '../graph/tensor.ts'
import { affineChannels, blockOf, fromBlocked, sumChannels, sumProducts, toBlocked } from './blocked-channels.ts'
import { reduceSum } from './broadcast.ts'
import { instanceNormGradient } from './instance-norm-gradient.ts'
import { leakyReluGradient } from './leaky-relu-gradient.ts'
import { reshape } from './reshape.ts'

interface Attributes {
  readonly epsilon: number
  readonly slope: number
}

/**
 * Outputs: y, the normalised x (in blocked channels only centred), and 1/√(variance + ε) of each plane; the backward
 * pass needs all of them.
 */
const operator: Operator<Attributes> = {
  name: 'instanceNorm',
  infer: ([x, scale, bias]) => {
    const [n, c] = x.shape
    if (sizeOf(scale.shape) !== c || sizeOf(bias.shape) !== c) throw new Error(`instanceNorm: ${c} channels expected`)
    return [x, x, { shape: [n, c, 1], type: x.type }].map(({ shape, type }) => ({ shape, type }))
  },
  lower: (emit, [x, scale, bias], { inputs: [{ shape }], attributes: { epsilon, slope } }) => {
    const { purpose } = emit.target
    const attributes = { epsilon: { float: epsilon } }
    const leaky = (y: string) => emit.node('LeakyRelu', [y], { attributes: { alpha: { float: slope } } })[0]
    if (purpose === 'inference') return [leaky(emit.node('InstanceNormalization', [x, scale, bias], { attributes })[0])]
    const [n, c, ...spatial] = shape
    const size = sizeOf(spatial)
    if (blockOf(emit, c) !== undefined) return normaliseInBlocks(emit, [x, scale, bias], shape, { epsilon, slope })
    const [rows] = emit.node('Reshape', [x, emit.ints([n, c, size])])
    const ones = emit.constant(new Float32Array(size).fill(1), [size])
    const [normalised, , inverseDeviation] = emit.node('LayerNormalization', [rows, ones], { attributes, outputs: 3 })
    const ofPlanes = (name: string) => emit.node('Reshape', [name, emit.ints([1, c, 1])])[0]
    const y = leaky(emit.node('Add', [emit.node('Mul', [normalised, ofPlanes(scale)])[0], ofPlanes(bias)])[0])
    const full = emit.ints(shape)
    return [...emit.node('Reshape', [y, full]), ...emit.node('Reshape', [normalised, full]), inverseDeviation]
  },
  gradient: ([g], { inputs: [x, scale, bias], outputs: [y, normalised, inverseDeviation], attributes: { slope } }) => {
    if (g === undefined) return []
    const [dx, sum, dot] = instanceNormGradient(leakyReluGradient(g, y, slope), normalised, inverseDeviation, scale)
    return [reshape(dx, x.shape), reshape(reduceSum(dot, [0]), scale.shape), reshape(reduceSum(sum, [0]), bias.shape)]
  },
}

/** In blocked channels, where LayerNormalization has no rows to work on: sums and affine passes instead. */
function normaliseInBlocks(
  emit: Emitter,
  [x, scale, bias]: readonly [x: string, scale: string, bias: string],
  shape: readonly number[],
  { epsilon, slope }: Attributes,
): readonly string[] {
  const [n, c, ...spatial] = shape
  const size = sizeOf(spatial)
  const times = (a: string, b: string) => emit.node('Mul', [a, b])[0]
  const number = (value: number) => emit.constant(Float32Array.of(value), [])
  const blocked = toBlocked(emit, x, shape)
  const lessMean = times(sumChannels(emit, blocked, shape), number(-1 / size))
  const ones = emit.constant(new Float32Array(n * c).fill(1), [n * c])
  const centred = affineChannels(emit, [blocked, ones, lessMean], shape)
  // Of the centred numbers: the mean of squares less the mean's square would lose digits where the mean is large.
  const variance = times(sumProducts(emit, [centred, centred], shape), number(1 / size))
  const [deviation] = emit.node('Sqrt', [emit.node('Add', [variance, number(epsilon)])[0]])
  const [inverse] = emit.node('Reciprocal', [deviation])
  const factors = times(inverse, emit.node('Reshape', [scale, emit.ints([1, c, 1])])[0])
  const [terms] = emit.node('Expand', [bias, emit.ints([n, c])])
  const activation = { name: 'LeakyRelu', parameters: [slope] } as const
  const y = affineChannels(emit, [centred, factors, terms], shape, { activation })
  return [fromBlocked(emit, y, shape), fromBlocked(emit, centred, shape), inverse]
}

/**
 * Each channel of each case brought to mean 0 and variance 1 over its voxels (ε as in PyTorch's InstanceNorm), then
 * scaled and shifted by learned numbers, one of each a channel, then leaky ReLU: what is below 0 times `slope` (0.01 is
 * PyTorch's and nnU-Net's).
 */
export function instanceNorm(x: Tensor, scale: Tensor, bias: Tensor, slope = 0.01, epsilon = 1e-5): Tensor {
  return applyAll(operator, [x, scale, bias], { epsilon, slope })[0]
}
