import { apply, type Operator, type Tensor } from '../graph/tensor.ts'

interface Attributes {
  readonly slope: number
}

const operator: Operator<Attributes> = {
  name: 'leakyReluGradient',
  infer: ([g]) => [{ shape: g.shape, type: g.type }],
  lower: (emit, [g, y], { attributes: { slope } }) => {
    const [positive] = emit.node('Greater', [y, emit.constant(Float32Array.of(0), [])])
    const [scaled] = emit.node('Mul', [g, emit.constant(Float32Array.of(slope), [])])
    return emit.node('Where', [positive, g, scaled])
  },
}

/** g where y > 0, else slope · g; y may be the function's argument or its value, which have one sign. */
export function leakyReluGradient(g: Tensor, y: Tensor, slope: number): Tensor {
  return apply(operator, [g, y], { slope })
}
