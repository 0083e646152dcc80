import type { Emitter } from '../graph/tensor.ts'
import { blockedDomain, imageShape, reorderOutput, toBlocked } from './blocked-channels.ts'
import { emitReshape } from './dynamic-shape.ts'
import { permuted, range } from './permuted.ts'

interface Sizes {
  readonly cases: number
  readonly inputs: number
  readonly outputs: number
  /** [depth, height, width]; depth is 1 in 2-D. */
  readonly spatial: readonly [depth: number, height: number, width: number]
  /** Planes of the kernel: 3, or 1 in 2-D. */
  readonly depths: 1 | 3
}

interface HalvingSizes extends Omit<Sizes, 'depths' | 'spatial'> {
  /** Of the coarse image: [depth, height, width]; depth is 1 in 2-D. */
  readonly spatial: Sizes['spatial']
  readonly depths: 1 | 2
}

/** What is read again and again for one piece of a plane should stay in a core's second-level cache. */
const pieceBytes = 768 * 1024

/** Volumes of planes with fewer pixels: what the planes' gradients weigh before they are summed then takes longer. */
const leastPixels = 256

/**
 * Into how many pieces a plane is cut along its height, or undefined where the runtime takes no such number or products
 * of matrices are faster.
 */
export function piecesOfPlanes(
  { cases, outputs, spatial, depths }: Pick<Sizes, 'cases' | 'outputs' | 'spatial'> & { depths: number },
  block: number,
): number | undefined {
  const [depth, height, width] = spatial
  const together = Math.min(4 * block, outputs)
  for (let pieces = 1; pieces <= height; pieces++) {
    if (height % pieces !== 0) continue
    if (depths === 3 && (height / pieces) * width < leastPixels) break
    const groups = cases * depth * pieces
    const fits = pieces === height || 4 * together * (height / pieces) * width <= pieceBytes
    if (fits && (groups < block || groups % block === 0)) return pieces
  }
  return undefined
}

/**
 * The weight gradient as a convolution of the runtime's blocked layout: every plane of g (or piece of one) is a kernel
 * as large as the plane, moved over the plane of x that belongs to it, one group for each. With x's channels side by
 * side in its rows and a dilation of as many, all of them pass under the kernel at once: column kw·block + i of the
 * result is channel i at offset kw. Blocks of x's channels take turns in the rows likewise. Neither x nor g is copied
 * for the offsets within a plane; for those across planes (3-D) g is, whole planes at a time.
 */
export function weightGradientByPlanes(
  emit: Emitter,
  [x, g]: readonly [x: string, g: string],
  sizes: Sizes,
  block: number,
  pieces: number,
): string {
  const { cases, inputs, outputs, spatial, depths } = sizes
  const [depth, height, width] = spatial
  /** Channels of x side by side, and how many such sets. */
  const side = inputs < block ? 1 : block
  const sets = inputs / side
  const tall = height / pieces
  const groups = cases * depth * pieces

  const shapeOf = (channels: number) => [cases, channels, ...spatial.slice(depths === 1 ? 1 : 0)]
  const wanted = side === 1 ? x : toBlocked(emit, x, shapeOf(inputs), { anew: true })
  const border = pieces === 1 ? 0 : 1
  const padded = height + 2 * border
  const rowLength = (width + 2) * side
  const wide = framed(emit, wanted, [cases * sets * depth, height, width, side], border)
  const image = permuted(
    emit,
    wide,
    rowLength,
    range(cases).flatMap((n) =>
      range(depth).flatMap((d) =>
        range(pieces).flatMap((piece) =>
          range(tall + 2 * border).flatMap((row) =>
            range(sets).map((set) => ((n * sets + set) * depth + d) * padded + piece * tall + row),
          ),
        ),
      ),
    ),
    [1, groups, (tall + 2 * border) * sets, rowLength],
  )
  const blocks = outputs / block
  const kernels = permuted(
    emit,
    toBlocked(emit, g, shapeOf(outputs)),
    tall * width * block,
    range(cases).flatMap((n) =>
      range(depth).flatMap((d) =>
        range(pieces).flatMap((piece) =>
          range(depths).flatMap((k) =>
            range(blocks).map((o) => {
              // Offset k of x at plane d meets g at plane d − k + 1; outside it is any plane, left out below.
              const plane = Math.min(depth - 1, Math.max(0, d - k + (depths - 1) / 2))
              return ((n * blocks + o) * depth + plane) * pieces + piece
            }),
          ),
        ),
      ),
    ),
    [groups * depths * outputs, 1, tall, width],
  )
  const attributes = {
    group: { int: groups },
    kernel_shape: { ints: [tall, width] },
    dilations: { ints: [sets, side] },
    pads: { ints: [(1 - border) * sets, 0, (1 - border) * sets, 0] },
  }
  const [products] = emit.node('Conv', [image, kernels], { attributes, domain: blockedDomain })
  const [apart] = emit.node('Reshape', [products, emit.ints([groups, depths, outputs * 9 * inputs])])
  const inside = range(groups).flatMap((group) => {
    const d = Math.floor(group / pieces) % depth
    return range(depths).map((k) => (depths === 1 || (d - k + 1 >= 0 && d - k + 1 < depth) ? 1 : 0))
  })
  const kept =
    depths === 1 ? apart : emit.node('Mul', [apart, emit.constant(Float32Array.from(inside), [groups, depths, 1])])[0]
  const kernel = depths === 1 ? [3, 3] : [3, 3, 3]
  return ordered(emit, kept, [depths, blocks, 3, sets, 1, 3 * side * block], [outputs, inputs, ...kernel], block)
}

/**
 * The same for kernels of 2×2(×2) with stride 2: Σ of coarse[o, v] · fine[c, 2v + k], shape [o, c, 2, 2(, 2)]. With
 * dilations of two pixels the kernel meets each of the offsets; nothing is padded.
 */
export function halvingWeightGradientByPlanes(
  emit: Emitter,
  [coarse, fine]: readonly [coarse: string, fine: string],
  { cases, inputs, outputs, spatial, depths }: HalvingSizes,
  block: number,
  pieces: number,
): string {
  const [depth, height, width] = spatial
  const sets = inputs / block
  const blocks = outputs / block
  const tall = height / pieces
  const groups = cases * depth * pieces
  const shapeOf = (channels: number, times: number) => [
    cases,
    channels,
    ...(depths === 1 ? [] : [times * depth]),
    times * height,
    times * width,
  ]
  const image = permuted(
    emit,
    toBlocked(emit, fine, shapeOf(inputs, 2), { anew: true }),
    2 * width * block,
    range(cases).flatMap((n) =>
      range(depth).flatMap((d) =>
        range(pieces).flatMap((piece) =>
          range(2 * tall).flatMap((row) =>
            range(sets).flatMap((set) =>
              range(depths).map((k) => {
                const plane = ((n * sets + set) * depth + d) * depths + k
                return plane * 2 * height + piece * 2 * tall + row
              }),
            ),
          ),
        ),
      ),
    ),
    [1, groups, 2 * tall * sets * depths, 2 * width * block],
  )
  const kernels = permuted(
    emit,
    toBlocked(emit, coarse, shapeOf(outputs, 1), { anew: true }),
    tall * width * block,
    range(cases).flatMap((n) =>
      range(depth).flatMap((d) =>
        range(pieces).flatMap((piece) => range(blocks).map((o) => ((n * blocks + o) * depth + d) * pieces + piece)),
      ),
    ),
    [groups * outputs, 1, tall, width],
  )
  const attributes = {
    group: { int: groups },
    kernel_shape: { ints: [tall, width] },
    dilations: { ints: [2 * sets * depths, 2 * block] },
  }
  const [products] = emit.node('Conv', [image, kernels], { attributes, domain: blockedDomain })
  const [apart] = emit.node('Reshape', [products, emit.ints([groups, outputs * 4 * depths * inputs])])
  const kernel = depths === 1 ? [2, 2] : [2, 2, 2]
  return ordered(emit, apart, [1, blocks, 2, sets, depths, 2 * block ** 2], [outputs, inputs, ...kernel], block)
}

/**
 * The same for kernels of one pixel and few outputs: Σ of g[o, v] · x[c, v], shape [o, c, 1, 1(, 1)]. Every row of a
 * block of x's channels is a kernel for that row of each g. Undefined where the runtime takes no such number of rows.
 */
export function pointwiseWeightGradient(
  emit: Emitter,
  [x, g]: readonly [x: string, g: string],
  shape: readonly number[],
  outputs: number,
  block: number,
): string | undefined {
  const [n, c, first, rest] = imageShape(shape)
  const blocks = c / block
  const groups = n * blocks * first
  if (outputs >= block || (groups >= block && groups % block !== 0)) return undefined
  const [byOutput] = emit.node('Transpose', [emitReshape(emit, g, [n, outputs, 1, first * rest])], {
    attributes: { perm: { ints: [1, 0, 2, 3] } },
  })
  const [repeated] = emit.node('Expand', [byOutput, emit.ints([outputs, n, blocks, first * rest])])
  const image = emitReshape(emit, repeated, [outputs, groups, 1, rest])
  const kernels = emitReshape(emit, toBlocked(emit, x, shape), [groups * block, 1, 1, rest])
  const attributes = { group: { int: groups }, kernel_shape: { ints: [1, rest] } }
  const [products] = emit.node('Conv', [image, kernels], { attributes, domain: blockedDomain })
  const [sum] = emit.node('ReduceSum', [
    emitReshape(emit, products, [outputs, n, blocks, first, block]),
    emit.ints([1, 3]),
  ])
  return emitReshape(emit, sum, [outputs, c, ...shape.slice(2).map(() => 1)])
}

/**
 * Weights from what each group gives to them, [groups, depths, outputs/b, rows, sets, depths, numbers of a row] with
 * one of the depths 1, to [outputs, inputs, kernel…].
 */
function ordered(
  emit: Emitter,
  products: string,
  parts: readonly number[],
  shape: readonly number[],
  block: number,
): string {
  const [outputs, inputs, ...kernel] = shape
  const offsets = kernel.reduce((product, n) => product * n, 1)
  // Groups lie outermost: only so ONNX Runtime sums in the same order with any number of threads.
  const [sum] = emit.node('ReduceSum', [products, emit.ints([0])], { attributes: { keepdims: { int: 0 } } })
  // Whole blocks first, then the runtime's own way out of them, for outputs and for inputs. In one transposition
  // numbers would move one by one, at a tenth of the speed.
  const [split] = emit.node('Reshape', [sum, emit.ints(parts)])
  const [turned] = emit.node('Transpose', [split], { attributes: { perm: { ints: [1, 3, 0, 4, 2, 5] } } })
  const [byOutput] = emit.node('Reshape', [turned, emit.ints([1, outputs, inputs, offsets])])
  const [byInput] = emit.node('Reshape', [
    reorderOutput(emit, byOutput, outputs),
    emit.ints([outputs, inputs, 1, offsets]),
  ])
  const plain = inputs < block ? byInput : reorderOutput(emit, byInput, inputs)
  return emit.node('Reshape', [plain, emit.ints(shape)])[0]
}

/**
 * Planes [planes, height, width, side] with a pixel of zeros at the ends of every row and, where `border` is 1, a row
 * of them above and below. In blocks a convolution by 1 does it with all threads, twice as fast as Pad.
 */
function framed(
  emit: Emitter,
  x: string,
  [planes, height, width, side]: readonly [planes: number, height: number, width: number, side: number],
  border: 0 | 1,
): string {
  if (side === 1) {
    const [rows] = emit.node('Reshape', [x, emit.ints([planes, height, width])])
    return emit.node('Pad', [rows, emit.ints([0, border, 1, 0, border, 1])])[0]
  }
  const channels = planes * side
  const [image] = emit.node('Reshape', [x, emit.ints([1, channels, height, width])])
  const ones = emit.constant(new Float32Array(channels).fill(1), [channels, 1, 1, 1])
  const attributes = {
    group: { int: channels },
    kernel_shape: { ints: [1, 1] },
    pads: { ints: [border, 1, border, 1] },
  }
  return emit.node('Conv', [image, ones], { attributes, domain: blockedDomain })[0]
}
