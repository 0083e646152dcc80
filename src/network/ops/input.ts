import { apply, type ElementType, type Operator, type Tensor } from '../graph/tensor.ts'

interface Attributes {
  readonly shape: readonly number[]
  readonly type: ElementType
}

const operator: Operator<Attributes> = {
  name: 'input',
  infer: (_, { shape, type }) => [{ shape, type }],
  lower: () => {
    throw new Error('an input that the plan does not name')
  },
  gradient: () => [],
}

/** A placeholder that is fed at every run. */
export function input(shape: readonly number[], type: ElementType = 'float32'): Tensor {
  return apply(operator, [], { shape, type })
}
