import { applyAll, type Emitter, type Operator, sizeOf, type Tensor } from '../graph/tensor.ts'
import { affineChannels, blockOf, fromBlocked, sumChannels, sumProducts, toBlocked } from './blocked-channels.ts'
import { emitSum } from './sums.ts'

/**
 * Outputs: dx, and for each plane Σ g and Σ g·x̂ (whose sums over cases are the gradients of bias and scale).
 * dx = scale/σ · (g − mean g − x̂ · mean(g·x̂)), the means over the plane's voxels.
 */
const operator: Operator<undefined> = {
  name: 'instanceNormGradient',
  infer: ([g]) => {
    const [n, c] = g.shape
    return [g.shape, [n, c, 1], [n, c, 1]].map((shape) => ({ shape, type: g.type }))
  },
  lower: (emit, [g, normalised, inverseDeviation, scale], { inputs: [{ shape }] }) => {
    const [n, c, ...spatial] = shape
    const size = sizeOf(spatial)
    if (blockOf(emit, c) !== undefined) return inBlocks(emit, [g, normalised, inverseDeviation, scale], shape)
    const planes = [n, c, size]
    const times = (a: string, b: string) => emit.node('Mul', [a, b])[0]
    const [gRows, xRows] = [g, normalised].map((name) => emit.node('Reshape', [name, emit.ints(planes)])[0])
    const sum = emitSum(emit, gRows, planes, [2])
    const dot = emitSum(emit, times(gRows, xRows), planes, [2])
    const factor = times(inverseDeviation, emit.node('Reshape', [scale, emit.ints([1, c, 1])])[0])
    const [projection] = emit.node('Add', [times(xRows, dot), sum])
    const means = times(projection, emit.constant(Float32Array.of(1 / size), []))
    const dx = times(emit.node('Sub', [gRows, means])[0], factor)
    return [...emit.node('Reshape', [dx, emit.ints(shape)]), sum, dot]
  },
}

/** The same in blocked channels, from the centred x, which is x̂ · σ there. */
function inBlocks(
  emit: Emitter,
  [g, centred, inverseDeviation, scale]: readonly [g: string, centred: string, inverseDeviation: string, scale: string],
  shape: readonly number[],
): readonly string[] {
  const [, c, ...spatial] = shape
  const times = (a: string, b: string) => emit.node('Mul', [a, b])[0]
  const [blockedG, blockedX] = [g, centred].map((name) => toBlocked(emit, name, shape))
  const sum = sumChannels(emit, blockedG, shape)
  const dot = times(sumProducts(emit, [blockedG, blockedX], shape), inverseDeviation)
  const factor = times(inverseDeviation, emit.node('Reshape', [scale, emit.ints([1, c, 1])])[0])
  const lessMean = times(factor, emit.constant(Float32Array.of(-1 / sizeOf(spatial)), []))
  const ofX = times(times(lessMean, dot), inverseDeviation)
  const projection = affineChannels(emit, [blockedX, ofX, times(lessMean, sum)], shape)
  const dx = affineChannels(emit, [blockedG, factor], shape, { plus: projection })
  return [fromBlocked(emit, dx, shape), sum, dot]
}

/** The backward pass of instanceNorm, from g and from what the forward pass kept. */
export function instanceNormGradient(
  g: Tensor,
  normalised: Tensor,
  inverseDeviation: Tensor,
  scale: Tensor,
): readonly Tensor[] {
  return applyAll(operator, [g, normalised, inverseDeviation, scale], undefined)
}
