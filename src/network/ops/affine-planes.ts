import type { Emitter } from '../graph/tensor.ts'

interface AffinePlanes {
  readonly cases: number
  readonly planes: number
  /** Numbers of a plane. */
  readonly size: number
  /** What is added, of the shape of the result. */
  readonly plus?: string
  /** Of the leaky ReLU that follows. */
  readonly slope?: number
}

/**
 * x [cases, planes, size] with each plane times its own number, plus another: a convolution by one number a plane, in
 * one pass, where Mul, Add and LeakyRelu each read and write all of it. On the CPU only.
 */
export function emitAffinePlanes(
  emit: Emitter,
  [x, factors, terms]: readonly [x: string, factors: string, terms: string],
  { cases, planes, size, plus, slope }: AffinePlanes,
): string {
  const reshaped = (name: string, shape: readonly number[]) => emit.node('Reshape', [name, emit.ints(shape)])[0]
  const image = [cases, planes, 1, size]
  const inputs = [reshaped(x, image), reshaped(factors, [planes, 1, 1, 1]), reshaped(terms, [planes])]
  return emit.node('FusedConv', plus === undefined ? inputs : [...inputs, reshaped(plus, image)], {
    domain: 'com.microsoft',
    attributes: {
      kernel_shape: { ints: [1, 1] },
      group: { int: planes },
      ...(slope !== undefined && { activation: { string: 'LeakyRelu' }, activation_params: { floats: [slope] } }),
    },
  })[0]
}
