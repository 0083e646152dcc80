import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { leakyReluGradient } from './leaky-relu-gradient.ts'

interface Attributes {
  readonly slope: number
}

const operator: Operator<Attributes> = {
  name: 'leakyRelu',
  infer: ([x]) => [{ shape: x.shape, type: x.type }],
  lower: (emit, inputs, { attributes: { slope } }) =>
    emit.node('LeakyRelu', inputs, { attributes: { alpha: { float: slope } } }),
  gradient: ([g], { outputs: [y], attributes: { slope } }) => (g === undefined ? [] : [leakyReluGradient(g, y, slope)]),
}

/** x where x > 0, else slope · x; 0.01 is PyTorch's and nnU-Net's slope. */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor {
  return apply(operator, [x], { slope })
}
