import { apply, type Operator, type Tensor } from '../graph/tensor.ts'

const operator: Operator<undefined> = {
  name: 'negate',
  infer: ([x]) => [{ shape: x.shape, type: x.type }],
  lower: (emit, inputs) => emit.node('Neg', inputs),
  gradient: ([g]) => (g === undefined ? [] : [negate(g)]),
}

/** −x, elementwise. */
export function negate(x: Tensor): Tensor {
  return apply(operator, [x], undefined)
}
