import { type Emitter, sizeOf } from '../graph/tensor.ts'
import { join } from './concat.ts'
import { range } from './permuted.ts'
import { fewestTerms, nearestDivisor, partsFirst, sumOfFirst } from './sums.ts'

/** What any WebGPU device lets one kernel bind, in bytes. */
const bindingSize = 2 ** 27
/** Products come in tiles of 32 × 32 numbers; so many keep a large GPU busy. */
const [tile, wantedTiles] = [32, 2048]

/**
 * The gradient of conv's weights for devices where every operator costs some microseconds to start, whatever it
 * computes: eight operators, where one product for each offset of the kernel takes some fifty. Of x and g the one with
 * fewer channels is unfolded, which is writing down, next to every voxel, its neighbours within the kernel; then
 * all offsets are one batch of products. Sums over voxels are made in parts, all at once, which are added up. Large
 * images are unfolded slab by slab (along the first axis), and some offsets at a time.
 */
export function weightGradientUnfolded(
  emit: Emitter,
  [x, g]: readonly [x: string, g: string],
  shape: readonly number[],
  outputs: number,
  kernel: readonly number[],
): string {
  const [cases, inputs, ...spatial] = shape
  const ofX = inputs <= outputs
  const [unfolded, channels, other, otherChannels] = ofX ? [x, inputs, g, outputs] : [g, outputs, x, inputs]
  const radii = kernel.map((k) => (k - 1) / 2)
  const padded = spatial.map((size, axis) => size + 2 * radii[axis])
  const [framed] = emit.node('Pad', [unfolded, emit.ints([0, 0, ...radii, 0, 0, ...radii])])
  const [flat] = emit.node('Reshape', [framed, emit.ints([cases, channels, sizeOf(padded)])])
  const [channelsLast] = emit.node('Transpose', [flat], { attributes: { perm: { ints: [0, 2, 1] } } })

  const [depth, ...plane] = spatial
  const last = kernel[kernel.length - 1]
  const slabs = divisorFrom(depth, (4 * cases * sizeOf(spatial) * last * channels) / bindingSize)
  const thickness = depth / slabs
  const slice = (name: string, axis: number, start: number, end: number) =>
    emit.node('Slice', [name, emit.ints([start]), emit.ints([end]), emit.ints([axis])])[0]
  const planeOf = sizeOf(padded.slice(1))
  const sums = range(slabs).map((slab) => {
    const start = slab * thickness
    const end = start + thickness
    return sumOfSlab(
      emit,
      slabs === 1 ? channelsLast : slice(channelsLast, 1, start * planeOf, (end + 2 * radii[0]) * planeOf),
      slabs === 1 ? other : slice(other, 2, start, end),
      { cases, channels, otherChannels, spatial: [thickness, ...plane], kernel, turned: !ofX },
    )
  })
  const sum = sumOfFirst(emit, join(emit, sums, 0), slabs)
  const [axes] = emit.node('Reshape', [sum, emit.ints([sizeOf(kernel) / last, otherChannels, last, channels])])
  const perm = ofX ? [1, 3, 0, 2] : [3, 1, 0, 2]
  const [ordered] = emit.node('Transpose', [axes], { attributes: { perm: { ints: perm } } })
  return emit.node('Reshape', [ordered, emit.ints([outputs, inputs, ...kernel])])[0]
}

interface Slab {
  readonly cases: number
  readonly channels: number
  readonly otherChannels: number
  readonly spatial: readonly number[]
  readonly kernel: readonly number[]
  /** g is unfolded: moving x by an offset is moving g by its opposite. */
  readonly turned: boolean
}

/** `framed`, [cases, voxels with their frame, channels], unfolded, times the other: [1, offset of rows, other, …]. */
function sumOfSlab(emit: Emitter, framed: string, other: string, slab: Slab): string {
  const { cases, channels, otherChannels, spatial, kernel, turned } = slab
  const offsets = kernel.map((k) => range(k).map((i) => (turned ? k - 1 - i : i)))
  const padded = spatial.map((size, axis) => size + kernel[axis] - 1)
  const [width, last] = [spatial, kernel].map((sizes) => sizes[sizes.length - 1])
  const rowSizes = spatial.slice(0, -1)
  const rows = sizeOf(rowSizes)
  const paddedRows = sizeOf(padded.slice(0, -1))
  // Indices in one row: the fewer axes a result has, the less every number of it costs to place.
  const gather = (name: string, index: readonly number[]) =>
    emit.node('Gather', [name, emit.ints(index)], { attributes: { axis: { int: 1 } } })[0]
  const [pixels] = emit.node('Reshape', [framed, emit.ints([cases * paddedRows, padded[padded.length - 1], channels])])
  const inRow = range(width).flatMap((pixel) => offsets[offsets.length - 1].map((offset) => pixel + offset))
  const neighbours = last * channels
  const [wideRows] = emit.node('Reshape', [
    last === 1 ? pixels : gather(pixels, inRow),
    emit.ints([cases, paddedRows, width * neighbours]),
  ])

  const rowOffsets = places(offsets.slice(0, -1), padded)
  const rowStarts = places(rowSizes.map(range), padded)
  const group = Math.max(1, Math.floor(bindingSize / (4 * cases * rows * width * neighbours)))
  const tiles = Math.min(group, rowOffsets.length) * Math.ceil(otherChannels / tile) * Math.ceil(neighbours / tile)
  const terms = Math.max(fewestTerms, (cases * rows * width * tiles) / wantedTiles)
  const rowsOfPart = nearestDivisor(rows, terms / width)
  const parts = rows / rowsOfPart
  const length = rowsOfPart * width

  const byPart = partsFirst(emit, other, [cases, otherChannels, parts, length], [0, 2, 1, 3])
  const [left] = emit.node('Reshape', [byPart, emit.ints([cases * parts, 1, otherChannels, length])])
  const sums = range(Math.ceil(rowOffsets.length / group)).map((i) => {
    const these = rowOffsets.slice(i * group, (i + 1) * group)
    const index = range(parts).flatMap((part) =>
      these.flatMap((offset) => rowStarts.slice(part * rowsOfPart, (part + 1) * rowsOfPart).map((row) => row + offset)),
    )
    const [right] = emit.node('Reshape', [
      gather(wideRows, index),
      emit.ints([cases * parts, these.length, length, neighbours]),
    ])
    return sumOfFirst(emit, emit.node('MatMul', [left, right])[0], cases * parts)
  })
  return join(emit, sums, 1)
}

/** The smallest divisor of n that is not below `least`; n where there is none. */
function divisorFrom(n: number, least: number): number {
  return range(n + 1).find((d) => d > 0 && n % d === 0 && d >= least) ?? n
}

/** The numbers of all rows whose coordinates are in the lists, in a grid of rows of these sizes (and one axis more). */
function places(lists: readonly (readonly number[])[], sizes: readonly number[]): number[] {
  return lists.reduce<number[]>(
    (found, list, axis) => found.flatMap((start) => list.map((value) => start * sizes[axis] + value)),
    [0],
  )
}
