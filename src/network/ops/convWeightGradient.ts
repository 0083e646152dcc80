import { apply, type Emitter, type Operator, sizeOf, type Tensor } from '../graph/tensor.ts'

interface Attributes {
  readonly kernel: readonly number[]
}

const operator: Operator<Attributes> = {
  name: 'convWeightGradient',
  infer: ([x, g], { kernel }) => [{ shape: [g.shape[1], x.shape[1], ...kernel], type: x.type }],
  lower: (emit, [x, g], { inputs: [{ shape }, { shape: gShape }], attributes: { kernel } }) => {
    const [n, inputs, ...spatial] = shape
    const outputs = gShape[1]
    const { flatX, flatG, length, starts } = flatten(emit, x, g, shape, kernel)
    const gRows = emit.node('Reshape', [flatG, emit.ints([n, outputs, length])])[0]
    const products = starts.map((start) => {
      const part =
        starts.length === 1
          ? flatX
          : emit.node('Slice', [flatX, emit.ints([start]), emit.ints([start + length]), emit.ints([2])])[0]
      return contract(emit, gRows, part)
    })
    const shape4 = emit.ints([n, outputs, inputs, 1])
    const columns = products.map((product) => emit.node('Reshape', [product, shape4])[0])
    const joined = columns.length === 1 ? columns[0] : concatInGroups(emit, columns)
    const [sum] = n === 1 ? [joined] : emit.node('ReduceSum', [joined, emit.ints([0])])
    return emit.node('Reshape', [sum, emit.ints([outputs, inputs, ...kernel.slice(0, spatial.length)])])
  },
}

/**
 * The gradient of conv's weights: dw[o, c, k] = Σ over cases and voxels of g[o, v] · x[c, v + k − r].
 *
 * Rows of x are laid one after the other with r zeros in between, which serve as the right border of one row and the
 * left border of the next. Then a shift by a kernel offset is one contiguous range of the flattened image, and each
 * offset is one matrix product over all voxels.
 */
export function convWeightGradient(x: Tensor, g: Tensor, kernel: readonly number[]): Tensor {
  return apply(operator, [x, g], { kernel })
}

function flatten(emit: Emitter, x: string, g: string, shape: readonly number[], kernel: readonly number[]) {
  const [n, inputs, ...spatial] = shape
  const radii = kernel.map((k) => (k - 1) / 2)
  const padded = spatial.map((size, axis) => (axis === 0 ? size : size + radii[axis]))
  const strides = padded.map((_, axis) => sizeOf(padded.slice(axis + 1)))
  const length = sizeOf(padded)
  if (radii.every((r) => r === 0)) {
    const [rows] = emit.node('Reshape', [x, emit.ints([n, inputs, length])])
    return { flatX: rows, flatG: g, length, starts: [0] }
  }
  // One plane (row) more than the kernel's reach at either end, for the offsets that leave the padded image.
  const margin = radii[0] + 1
  const end = radii.slice(1)
  const xPads = [0, 0, margin, ...end.map(() => 0), 0, 0, margin, ...end]
  const gPads = [0, 0, 0, ...end.map(() => 0), 0, 0, 0, ...end]
  const [xPadded] = emit.node('Pad', [x, emit.ints(xPads)])
  const [flatG] = emit.node('Pad', [g, emit.ints(gPads)])
  const [flatX] = emit.node('Reshape', [xPadded, emit.ints([n, inputs, length + 2 * margin * strides[0]])])
  const starts: number[] = []
  for (let k = 0; k < sizeOf(kernel); k++) {
    let start = margin * strides[0]
    for (let axis = kernel.length - 1, rest = k; axis >= 0; rest = Math.floor(rest / kernel[axis--])) {
      start += ((rest % kernel[axis]) - radii[axis]) * strides[axis]
    }
    starts.push(start)
  }
  return { flatX, flatG, length, starts }
}

/** a [n, p, l] · b [n, q, l]ᵀ. ONNX Runtime fuses the transposition into the product. */
export function contract(emit: Emitter, a: string, b: string): string {
  const [transposed] = emit.node('Transpose', [b], { attributes: { perm: { ints: [0, 2, 1] } } })
  return emit.node('MatMul', [a, transposed])[0]
}

function concatInGroups(emit: Emitter, names: readonly string[]): string {
  if (names.length <= 9) return emit.node('Concat', names, { attributes: { axis: { int: 3 } } })[0]
  const groups = Array.from({ length: Math.ceil(names.length / 9) }, (_, i) => names.slice(9 * i, 9 * i + 9))
  return concatInGroups(
    emit,
    groups.map((group) => concatInGroups(emit, group)),
  )
}
