import { apply, type Emitter, type Operator, sizeOf, type Tensor } from '../graph/tensor.ts'
import { isBlocked } from './blocked-channels.ts'
import { piecesOfPlanes, pointwiseWeightGradient, weightGradientByPlanes } from './weight-gradient-by-planes.ts'

interface Attributes {
  readonly kernel: readonly number[]
}

const operator: Operator<Attributes> = {
  name: 'convWeightGradient',
  infer: ([x, g], { kernel }) => [{ shape: [g.shape[1], x.shape[1], ...kernel], type: x.type }],
  lower: (emit, [x, g], { inputs: [{ shape }, { shape: gShape }], attributes: { kernel } }) => {
    const [n, inputs] = shape
    const outputs = gShape[1]
    const blocked = inBlocks(emit, [x, g], shape, outputs, kernel)
    if (blocked !== undefined) return [blocked]
    const [rowOffsets, last] = kernel.slice(-2)
    const onCpu = emit.target.device === 'cpu'
    const fewInputs = 4 * inputs <= outputs
    // In 2-D on other devices, where most is not measured, only where slices of x are many.
    const stacked = !fewInputs && (onCpu || kernel.length === 3 || inputs > outputs) ? rowOffsets : 1
    const flat = flatten(emit, x, g, shape, outputs, kernel, stacked)
    if (fewInputs && flat.starts.length > 1) {
      // One product of all slices: with a few columns each, the products would take as long as reading g for each.
      const slices = flat.starts.map((start) => sliceRows(emit, flat.x, start, flat.length))
      const product = contract(emit, flat.g, concatInGroups(emit, slices, 1), [n, flat.length])
      const [sum] = emit.node('ReduceSum', [product, emit.ints([0])])
      const [apart] = emit.node('Reshape', [sum, emit.ints([outputs, slices.length, inputs])])
      const [ordered] = emit.node('Transpose', [apart], { attributes: { perm: { ints: [0, 2, 1] } } })
      return emit.node('Reshape', [ordered, emit.ints([outputs, inputs, ...kernel])])
    }
    // [n, outputs, stacked, inputs] of each start becomes [n, outputs, stacked, inputs, starts].
    const shape5 = emit.ints([n, outputs, stacked, inputs, 1])
    const columns = flat.starts.map((start) => {
      const part = flat.length === flat.lengthOfX ? flat.x : sliceRows(emit, flat.x, start, flat.length)
      return emit.node('Reshape', [contract(emit, flat.g, part, [n, flat.length]), shape5])[0]
    })
    const all = columns.length === 1 ? columns[0] : concatInGroups(emit, columns, 4)
    const [sum] = emit.node('ReduceSum', [all, emit.ints([0])], { attributes: { keepdims: { int: 0 } } })
    const [apart] = emit.node('Reshape', [sum, emit.ints([outputs, stacked, inputs, flat.starts.length / last, last])])
    const [ordered] = emit.node('Transpose', [apart], { attributes: { perm: { ints: [0, 2, 3, 1, 4] } } })
    return emit.node('Reshape', [ordered, emit.ints([outputs, inputs, ...kernel])])
  },
}

/** By convolutions of the blocked layout, where it takes these numbers of channels. */
function inBlocks(
  emit: Emitter,
  [x, g]: readonly [x: string, g: string],
  shape: readonly number[],
  outputs: number,
  kernel: readonly number[],
): string | undefined {
  const [cases, inputs, ...spatial] = shape
  const block = emit.target.channelBlock
  if (emit.target.device !== 'cpu' || block === undefined) return undefined
  if (inputs % block === 0 && kernel.every((k) => k === 1) && isBlocked(emit, x)) {
    return pointwiseWeightGradient(emit, [x, g], shape, outputs, block)
  }
  const fits = outputs % block === 0 && (inputs < block || inputs % block === 0)
  if (!fits || kernel.some((k) => k !== 3)) return undefined
  const [height, width] = spatial.slice(-2)
  const [depth, depths] = spatial.length === 3 ? ([spatial[0], 3] as const) : ([1, 1] as const)
  const sizes = { cases, inputs, outputs, spatial: [depth, height, width], depths } as const
  const pieces = piecesOfPlanes(sizes, block)
  return pieces === undefined ? undefined : weightGradientByPlanes(emit, [x, g], sizes, block, pieces)
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

/**
 * Lays x and g out as rows. `starts` are where the ranges of x begin that g is multiplied with; with `stacked` > 1
 * there are copies of g for all offsets along the last axis but one, and `starts` has the other axes' only.
 */
function flatten(
  emit: Emitter,
  x: string,
  g: string,
  shape: readonly number[],
  outputs: number,
  kernel: readonly number[],
  stacked: number,
) {
  const [n, inputs, ...spatial] = shape
  const radii = kernel.map((k) => (k - 1) / 2)
  const padded = spatial.map((size, axis) => (axis === 0 ? size : size + radii[axis]))
  const strides = padded.map((_, axis) => sizeOf(padded.slice(axis + 1)))
  const length = sizeOf(padded)
  if (radii.every((r) => r === 0)) {
    const rows = (name: string, channels: number) => emit.node('Reshape', [name, emit.ints([n, channels, length])])[0]
    return { x: rows(x, inputs), g: rows(g, outputs), length, lengthOfX: length, starts: [0] }
  }
  // One plane (row) more than the kernel's reach at either end, for the offsets that leave the padded image.
  const margin = radii[0] + 1
  const pad = (name: string, channels: number, ends: number) => {
    const before = [0, 0, ends, ...radii.slice(1).map(() => 0)]
    const [wide] = emit.node('Pad', [name, emit.ints([...before, 0, 0, ends, ...radii.slice(1)])])
    return emit.node('Reshape', [wide, emit.ints([n, channels, length + 2 * ends * strides[0]])])[0]
  }
  const axis = kernel.length - 2
  const only = (values: readonly number[], other: number) =>
    values.map((value, i) => (stacked > 1 && i === axis ? other : value))
  const steps = only(kernel, 1)
  const reach = only(radii, 0)
  const starts = Array.from({ length: sizeOf(steps) }, (_, k) => {
    let start = margin * strides[0]
    for (let axis = steps.length - 1, rest = k; axis >= 0; rest = Math.floor(rest / steps[axis--])) {
      start += ((rest % steps[axis]) - reach[axis]) * strides[axis]
    }
    return start
  })
  const flatX = { x: pad(x, inputs, margin), lengthOfX: length + 2 * margin * strides[0] }
  if (stacked === 1) return { ...flatX, g: pad(g, outputs, 0), length, starts }
  // Moving x by an offset is moving g back by it. Whole rows move, in one operator that all threads share.
  const rowLength = padded[padded.length - 1]
  const rows = length / rowLength
  const end = strides[0] / rowLength
  const [wide] = emit.node('Reshape', [pad(g, outputs, 1), emit.ints([n, outputs, rows + 2 * end, rowLength])])
  const moved = Array.from({ length: stacked }, (_, k) =>
    Array.from({ length: rows }, (_, row) => end + row - (k - radii[axis])),
  ).flat()
  const [copies] = emit.node('Gather', [wide, emit.ints(moved)], { attributes: { axis: { int: 2 } } })
  const [flatG] = emit.node('Reshape', [copies, emit.ints([n, outputs * stacked, length])])
  return { ...flatX, g: flatG, length, starts }
}

function sliceRows(emit: Emitter, x: string, start: number, length: number): string {
  return emit.node('Slice', [x, emit.ints([start]), emit.ints([start + length]), emit.ints([2])])[0]
}

/**
 * a [n, p, l] · b [n, q, l]ᵀ. ONNX Runtime fuses the transposition into the product. By WebGPU a product of few
 * numbers, each a long sum, is slow (docs/performance-training.md): there the sums are made in parts, as one batch.
 */
export function contract(emit: Emitter, a: string, b: string, [n, l]: readonly [number, number]): string {
  const parts = emit.target.device === 'webgpu' ? sumParts(l) : 1
  if (parts === 1) {
    const [transposed] = emit.node('Transpose', [b], { attributes: { perm: { ints: [0, 2, 1] } } })
    return emit.node('MatMul', [a, transposed])[0]
  }
  const apart = (name: string, perm: readonly number[]) => {
    const [split] = emit.node('Reshape', [name, emit.ints([n, -1, parts, l / parts])])
    return emit.node('Transpose', [split], { attributes: { perm: { ints: perm } } })[0]
  }
  const [products] = emit.node('MatMul', [apart(a, [0, 2, 1, 3]), apart(b, [0, 2, 3, 1])])
  return emit.node('ReduceSum', [products, emit.ints([1])], { attributes: { keepdims: { int: 0 } } })[0]
}

/** Into how many equal parts a sum over l is divided: as many as leave each 256 terms. */
function sumParts(l: number): number {
  let parts = Math.floor(l / 256)
  while (parts > 1 && l % parts !== 0) parts--
  return Math.max(1, parts)
}

function concatInGroups(emit: Emitter, names: readonly string[], axis: number): string {
  if (names.length <= 9) return emit.node('Concat', names, { attributes: { axis: { int: axis } } })[0]
  const groups = Array.from({ length: Math.ceil(names.length / 9) }, (_, i) => names.slice(9 * i, 9 * i + 9))
  return concatInGroups(
    emit,
    groups.map((group) => concatInGroups(emit, group, axis)),
    axis,
  )
}
