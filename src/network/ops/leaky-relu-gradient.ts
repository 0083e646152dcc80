import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { elementwise } from './blocked-channels.ts'

interface Attributes {
  readonly slope: number
}

const operator: Operator<Attributes> = {
  name: 'leakyReluGradient',
  infer: ([g]) => [{ shape: g.shape, type: g.type }],
  lower: (emit, [g, y], { inputs: [{ shape }], attributes: { slope } }) => {
    const constant = (value: number) => emit.constant(Float32Array.of(value), [])
    // y times the largest float is beyond ±1 for all but subnormal y; cut to [slope, 1], it is the derivative. Three
    // plain passes: a third of the time of Greater and Where.
    return [
      elementwise(emit, [g, y], shape, ([g, y]) => {
        const [steep] = emit.node('Mul', [y, constant(3e38)])
        const [derivative] = emit.node('Clip', [steep, constant(slope), constant(1)])
        return emit.node('Mul', [g, derivative])[0]
      }),
    ]
  },
}

/** g where y > 0, else slope · g; y may be the function's argument or its value, which have one sign. */
export function leakyReluGradient(g: Tensor, y: Tensor, slope: number): Tensor {
  return apply(operator, [g, y], { slope })
}
