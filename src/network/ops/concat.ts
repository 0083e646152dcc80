import { apply, type Operator, shapesEqual, type Tensor } from '../graph/tensor.ts'
import { slice } from './pad-slice.ts'

interface Attributes {
  readonly axis: number
}

/** WebGPU allows few storage buffers in one kernel, so that long lists are joined in groups. */
const channelGroup = 8

const operator: Operator<Attributes> = {
  name: 'concat',
  infer: (inputs, { axis }) => {
    const others = (x: Tensor) => x.shape.map((n, i) => (i === axis ? 0 : n))
    if (!inputs.every((x) => shapesEqual(others(x), others(inputs[0])))) throw new Error('concat of unequal shapes')
    const total = inputs.reduce((sum, x) => sum + x.shape[axis], 0)
    return [{ shape: inputs[0].shape.map((n, i) => (i === axis ? total : n)), type: inputs[0].type }]
  },
  lower: (emit, inputs, { attributes: { axis } }) => {
    const join = (names: readonly string[]): string => {
      if (names.length === 1) return names[0]
      const size = names.length <= channelGroup ? 1 : Math.ceil(names.length / channelGroup)
      const parts = size === 1 ? names : chunks(names, size).map(join)
      return emit.node('Concat', parts, { attributes: { axis: { int: axis } } })[0]
    }
    return [join(inputs)]
  },
  gradient: ([g], { inputs, attributes: { axis } }) => {
    if (g === undefined) return []
    let start = 0
    return inputs.map((x) => slice(g, axis, start, (start += x.shape[axis])))
  },
}

/** Tensors one after the other along an axis. */
export function concat(inputs: readonly Tensor[], axis: number): Tensor {
  return inputs.length === 1 ? inputs[0] : apply(operator, inputs, { axis })
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
}
