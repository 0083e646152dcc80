import {
  apply,
  applyAll,
  type Emitter,
  formatShape,
  type Operator,
  shapesEqual,
  sizeOf,
  type Tensor,
} from '../graph/tensor.ts'
import { constant } from './constant.ts'

// Each operator here is the other's gradient.

/** One of the 8 arrays that any WebGPU device lets a kernel bind is the whole: long lists take several kernels. */
const groupSize = 7

interface Joining {
  readonly axis: number
}

const joining: Operator<Joining> = {
  name: 'concat',
  infer: (inputs, { axis }) => {
    const others = (x: Tensor) => x.shape.map((n, i) => (i === axis ? 0 : n))
    if (!inputs.every((x) => shapesEqual(others(x), others(inputs[0])))) throw new Error('concat of unequal shapes')
    const total = inputs.reduce((sum, x) => sum + x.shape[axis], 0)
    return [{ shape: inputs[0].shape.map((n, i) => (i === axis ? total : n)), type: inputs[0].type }]
  },
  lower: (emit, inputs, { attributes: { axis } }) => [join(emit, inputs, axis)],
  gradient: ([g], { inputs, attributes: { axis } }) =>
    g === undefined
      ? []
      : split(
          g,
          axis,
          inputs.map(({ shape }) => shape[axis]),
        ),
}

/** Tensors one after the other along an axis. */
export function concat(inputs: readonly Tensor[], axis: number): Tensor {
  return inputs.length === 1 ? inputs[0] : apply(joining, inputs, { axis })
}

interface Splitting {
  readonly axis: number
  readonly sizes: readonly number[]
}

const splitting: Operator<Splitting> = {
  name: 'split',
  infer: ([{ shape, type }], { axis, sizes }) => {
    if (sizes.reduce((sum, size) => sum + size, 0) !== shape[axis]) {
      throw new Error(`split of axis ${axis} of ${formatShape(shape)} into ${sizes.join(', ')}`)
    }
    return sizes.map((size) => ({ shape: shape.map((n, i) => (i === axis ? size : n)), type }))
  },
  lower: (emit, [x], { attributes: { axis, sizes } }) => cut(emit, x, axis, sizes),
  gradient: (gs, { outputs, attributes: { axis } }) => {
    const zeros = ({ shape }: Tensor) => constant(new Float32Array(sizeOf(shape)), shape)
    return [
      concat(
        outputs.map((output, i) => gs[i] ?? zeros(output)),
        axis,
      ),
    ]
  },
}

/** x cut into parts of these sizes along an axis. */
export function split(x: Tensor, axis: number, sizes: readonly number[]): readonly Tensor[] {
  return sizes.length === 1 ? [x] : applyAll(splitting, [x], { axis, sizes })
}

/** The nodes of concat, for operators that need it in their own. */
export function join(emit: Emitter, names: readonly string[], axis: number): string {
  if (names.length === 1) return names[0]
  // On the CPU too: what waits for all of a long list keeps a tenth more memory in use.
  const parts = inGroups(names).map((group) => join(emit, group, axis))
  return emit.node('Concat', parts, { attributes: { axis: { int: axis } } })[0]
}

/** The nodes of split. */
export function cut(emit: Emitter, x: string, axis: number, sizes: readonly number[]): readonly string[] {
  if (sizes.length === 1) return [x]
  const groups = emit.target.device === 'cpu' ? sizes.map((size) => [size]) : inGroups(sizes)
  const lengths = groups.map((group) => group.reduce((sum, size) => sum + size, 0))
  const attributes = { axis: { int: axis } }
  const names = emit.node('Split', [x, emit.ints(lengths)], { attributes, outputs: groups.length })
  return groups.flatMap((group, i) => cut(emit, names[i], axis, group))
}

/** The list in no more groups than one kernel of a GPU can bind, so that few groups need groups of their own. */
function inGroups<T>(list: readonly T[]): T[][] {
  let size = 1
  while (list.length > groupSize * size) size *= groupSize
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
}
