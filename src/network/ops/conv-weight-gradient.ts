import { apply, type Emitter, type Operator, sizeOf, type Tensor } from '../graph/tensor.ts'
import { isBlocked } from './blocked-channels.ts'
import { join } from './concat.ts'
import { sumOfProducts } from './sums.ts'
import { piecesOfPlanes, pointwiseWeightGradient, weightGradientByPlanes } from './weight-gradient-by-planes.ts'
import { weightGradientUnfolded } from './weight-gradient-unfolded.ts'

interface Attributes {
  readonly kernel: readonly number[]
}

/** Inputs: the parts of the image, then g. */
const operator: Operator<Attributes> = {
  name: 'convWeightGradient',
  infer: (inputs, { kernel }) => {
    const [xs, g] = [inputs.slice(0, -1), inputs[inputs.length - 1]]
    return [{ shape: [g.shape[1], xs.reduce((sum, { shape }) => sum + shape[1], 0), ...kernel], type: g.type }]
  },
  lower: (emit, names, { inputs, outputs: [result], attributes: { kernel } }) => {
    const [xs, g] = [names.slice(0, -1), names[names.length - 1]]
    const [outputs, channels] = result.shape
    if (emit.target.device !== 'cpu') {
      const shape = inputs[0].shape.map((n, axis) => (axis === 1 ? channels : n))
      const x = join(emit, xs, 1)
      if (kernel.some((k) => k > 1)) return [weightGradientUnfolded(emit, [x, g], shape, outputs, kernel)]
      const product = sumOfProducts(emit, [g, x], [outputs, channels], [shape[0], sizeOf(shape.slice(2))])
      return emit.node('Reshape', [product, emit.ints(result.shape)])
    }
    const parts = xs.map((x, i) => {
      const { shape } = inputs[i]
      return inBlocks(emit, [x, g], shape, outputs, kernel) ?? byProducts(emit, [x, g], shape, outputs, kernel)
    })
    return [join(emit, parts, 1)]
  },
}

/**
 * Rows of x are laid one after the other with r zeros in between, which serve as the right border of one row and the
 * left border of the next. Then a shift by a kernel offset is one contiguous range of the flattened image, and each
 * offset is one matrix product over all voxels.
 */
function byProducts(
  emit: Emitter,
  [x, g]: readonly [x: string, g: string],
  shape: readonly number[],
  outputs: number,
  kernel: readonly number[],
): string {
  const [n, inputs] = shape
  const [rowOffsets, last] = kernel.slice(-2)
  const fewInputs = 4 * inputs <= outputs
  const stacked = fewInputs ? 1 : rowOffsets
  const flat = flatten(emit, x, g, shape, outputs, kernel, stacked)
  if (fewInputs && flat.starts.length > 1) {
    // One product of all slices: with a few columns each, the products would take as long as reading g for each.
    const slices = flat.starts.map((start) => sliceRows(emit, flat.x, start, flat.length))
    const product = contract(emit, flat.g, join(emit, slices, 1))
    const [sum] = emit.node('ReduceSum', [product, emit.ints([0])])
    const [apart] = emit.node('Reshape', [sum, emit.ints([outputs, slices.length, inputs])])
    const [ordered] = emit.node('Transpose', [apart], { attributes: { perm: { ints: [0, 2, 1] } } })
    return emit.node('Reshape', [ordered, emit.ints([outputs, inputs, ...kernel])])[0]
  }
  // [n, outputs, stacked, inputs] of each start becomes [n, outputs, stacked, inputs, starts].
  const shape5 = emit.ints([n, outputs, stacked, inputs, 1])
  const columns = flat.starts.map((start) => {
    const part = flat.length === flat.lengthOfX ? flat.x : sliceRows(emit, flat.x, start, flat.length)
    return emit.node('Reshape', [contract(emit, flat.g, part), shape5])[0]
  })
  const [sum] = emit.node('ReduceSum', [join(emit, columns, 4), emit.ints([0])], {
    attributes: { keepdims: { int: 0 } },
  })
  const [apart] = emit.node('Reshape', [sum, emit.ints([outputs, stacked, inputs, flat.starts.length / last, last])])
  const [ordered] = emit.node('Transpose', [apart], { attributes: { perm: { ints: [0, 2, 3, 1, 4] } } })
  return emit.node('Reshape', [ordered, emit.ints([outputs, inputs, ...kernel])])[0]
}

/** On the CPU by convolutions of the blocked layout, where it takes these numbers of channels. */
function inBlocks(
  emit: Emitter,
  [x, g]: readonly [x: string, g: string],
  shape: readonly number[],
  outputs: number,
  kernel: readonly number[],
): string | undefined {
  const [cases, inputs, ...spatial] = shape
  const block = emit.target.channelBlock
  if (block === undefined) return undefined
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

/** The gradient of conv's weights: dw[o, c, k] = Σ over cases and voxels of g[o, v] · x[c, v + k − r]. */
export function convWeightGradient(parts: readonly Tensor[], g: Tensor, kernel: readonly number[]): Tensor {
  return apply(operator, [...parts, g], { kernel })
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

/** a [n, p, l] · b [n, q, l]ᵀ. ONNX Runtime fuses the transposition into the product. */
export function contract(emit: Emitter, a: string, b: string): string {
  const [transposed] = emit.node('Transpose', [b], { attributes: { perm: { ints: [0, 2, 1] } } })
  return emit.node('MatMul', [a, transposed])[0]
}
