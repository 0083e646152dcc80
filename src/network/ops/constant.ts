import { apply, type Operator, type Tensor } from '../graph/tensor.ts'

interface Attributes {
  readonly data: Float32Array
  readonly shape: readonly number[]
}

const operator: Operator<Attributes> = {
  name: 'constant',
  infer: (_, { shape }) => [{ shape, type: 'float32' }],
  lower: (emit, _, { attributes: { data, shape } }) => [emit.constant(data, shape)],
  gradient: () => [],
}

/** Numbers that are stored in the graph. */
export function constant(data: Float32Array, shape: readonly number[]): Tensor {
  return apply(operator, [], { data, shape })
}

/** A constant of no axes. */
export function scalar(value: number): Tensor {
  return constant(Float32Array.of(value), [])
}
