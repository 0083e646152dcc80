import { applyAll, type Operator, sizeOf, type Tensor } from '../graph/tensor.ts'

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
    const planes = emit.ints([n, c, size])
    const axis = emit.ints([2])
    const count = emit.constant(Float32Array.of(size), [])
    const [gRows] = emit.node('Reshape', [g, planes])
    const [xRows] = emit.node('Reshape', [normalised, planes])
    const [sum] = emit.node('ReduceSum', [gRows, axis])
    const [dot] = emit.node('ReduceSum', [emit.node('Mul', [gRows, xRows])[0], axis])
    const [factor] = emit.node('Mul', [inverseDeviation, emit.node('Reshape', [scale, emit.ints([1, c, 1])])[0]])
    const [projection] = emit.node('Mul', [xRows, emit.node('Div', [dot, count])[0]])
    const [centred] = emit.node('Sub', [gRows, emit.node('Div', [sum, count])[0]])
    const [dx] = emit.node('Mul', [emit.node('Sub', [centred, projection])[0], factor])
    return [...emit.node('Reshape', [dx, emit.ints(shape)]), sum, dot]
  },
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
