import { type Box, boxOf, growBox } from '../volume/box.ts'
import { checkVoxels } from '../volume/checks.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, type Vec3, vec3 } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { type BlockTable, blockSize, blockTable, maxSigmas } from './blocks.ts'
import { Field } from './field.ts'
import type { NoiseModel } from './model.ts'
import type { Sampler } from './sampler.ts'

/** The field is made where a label can change only: a sample costs what the boundary costs, whatever the volume. */
export class FieldSampler<A extends LabelArray> implements Sampler<A> {
  readonly box: Box | undefined
  readonly #labels: A
  readonly #shape: Vec3
  readonly #scene: Scene<A> | undefined

  constructor(labels: A, grid: Grid, noise: NoiseModel) {
    this.#labels = labels
    this.#shape = grid.shape
    const changing = boxOf(labels, grid.shape, labels[0])
    if (!changing) return
    const reach = (axis: number) => Math.floor((maxSigmas * noise.sigmaMm[axis]) / grid.spacing[axis] + 0.5) + 1
    this.box = growBox(changing, [reach(0), reach(1), reach(2)], grid)
    this.#scene = new Scene(labels, grid, noise, this.box)
  }

  sample(seed: number, index: number, out?: A): A {
    // Beyond what is pasted all is the first voxel's label. A new array of zeros costs no memory traffic there.
    if (out) checkOut(out, this.#labels)
    const map = out ?? (new (this.#labels.constructor as new (n: number) => A)(this.#labels.length) as A)
    if (out || this.#labels[0] !== 0) map.fill(this.#labels[0])
    this.#scene?.paste(this.#scene.move(seed, index), map, this.#shape)
    return map
  }

  sampleBox(seed: number, index: number): A {
    if (!this.#scene) return this.#labels.slice(0, 0) as A
    return this.#scene.read(this.#scene.move(seed, index))
  }
}

/** Throws an InputError unless a sample of these labels fits into `out`. */
export function checkOut<A extends LabelArray>(out: A, labels: A): void {
  checkVoxels(out, 'out', labels.length)
  if (out.constructor !== labels.constructor) {
    throw new InputError('out', `is ${out.constructor.name}, the labels are ${labels.constructor.name}`)
  }
}

/** The labels of a box in WebAssembly memory, as indices into the list of those that occur, and the field over it. */
class Scene<A extends LabelArray> {
  readonly #field: Field
  readonly #box: Box
  readonly #blocks: BlockTable
  readonly #spans: readonly Span[]
  readonly #indexToLabel: A
  readonly #width: 1 | 2
  readonly #source: number
  readonly #target: number
  readonly #scale: Vec3

  constructor(labels: A, grid: Grid, noise: NoiseModel, box: Box) {
    this.#box = box
    const { indices, indexToLabel } = indexLabels(labels, grid.shape, box)
    this.#indexToLabel = indexToLabel
    this.#width = indices instanceof Uint8Array ? 1 : 2
    const sigmaVoxels = vec3((axis) => noise.sigmaMm[axis] / grid.spacing[axis])
    this.#scale = sigmaVoxels
    this.#blocks = blockTable(indices, box.shape, sigmaVoxels)
    this.#field = new Field(grid, noise, box, this.#blocks)
    this.#spans = spansOf(
      this.#blocks,
      indices,
      box.shape,
      indexToLabel.length > 0 ? indexToLabel.indexOf(labels[0]) : labels[0],
    )
    this.#source = this.#field.arena.store(indices)
    this.#target = this.#field.arena.store(indices)
  }

  /** Moves the labels; returns the box's indices, a view that holds until the next call. */
  move(seed: number, index: number): Uint8Array | Uint16Array {
    const field = this.#field
    const [nx, ny, nz] = this.#box.shape
    const [sx, sy, sz] = this.#scale
    const { at, componentStride, planeStride, rowStride, scale, taps, firstTaps, lastTap, hullFactor } = field.blockRow
    const bytes = new Uint8Array(field.arena.memory.buffer)
    const size = nx * ny * nz * this.#width
    bytes.copyWithin(this.#target, this.#source, this.#source + size)
    field.begin(seed, index)
    for (const [slab, blockRows] of this.#blocks.entries()) {
      if (blockRows.every((row) => row.length === 0)) continue
      const z = slab * blockSize
      field.slab(z)
      for (const [r, row] of blockRows.entries()) {
        if (row.length === 0) continue
        const y = r * blockSize
        field.row(y)
        for (const { x, level } of row) {
          if (level >= 0 && field.bound(x) <= level) continue
          const from = at + field.blockOffset(x)
          // biome-ignore format: one line a group of arguments
          field.kernels.moveBlock(
            this.#target, this.#source, this.#width, x, y, z, nx, ny, nz,
            from, componentStride, planeStride, rowStride, scale, field.matrix(x), taps, firstTaps, lastTap,
            sx, sy, sz, level, level / hullFactor,
          )
        }
      }
    }
    const View = this.#width === 1 ? Uint8Array : Uint16Array
    return new View(field.arena.memory.buffer, this.#target, nx * ny * nz)
  }

  read(moved: Uint8Array | Uint16Array): A {
    const out = new (this.#indexToLabel.constructor as new (n: number) => A)(moved.length)
    if (this.#isPlain) out.set(moved)
    else for (let i = 0; i < moved.length; i++) out[i] = this.#indexToLabel[moved[i]]
    return out
  }

  /** Writes the moved labels into a map that holds the label from beyond the box everywhere. */
  paste(moved: Uint8Array | Uint16Array, out: A, [gx, gy]: Vec3): void {
    const [nx, ny, nz] = this.#box.shape
    const [x0, y0, z0] = this.#box.start
    for (const { y: firstY, z: firstZ, from, until } of this.#spans) {
      for (let z = firstZ; z < Math.min(nz, firstZ + blockSize); z++) {
        for (let y = firstY; y < Math.min(ny, firstY + blockSize); y++) {
          const row = (z * ny + y) * nx
          const to = ((z0 + z) * gy + y0 + y) * gx + x0
          if (this.#isPlain) out.set(moved.subarray(row + from, row + until), to + from)
          else for (let x = from; x < until; x++) out[to + x] = this.#indexToLabel[moved[row + x]]
        }
      }
    }
  }

  /** Whether indices are the labels themselves. */
  get #isPlain(): boolean {
    return this.#indexToLabel.length === 0
  }
}

/** The part of a block row of the box that may hold anything but the label from beyond the box. */
interface Span {
  readonly y: number
  readonly z: number
  readonly from: number
  readonly until: number
}

function spansOf(blocks: BlockTable, indices: Uint8Array | Uint16Array, [nx, ny]: Vec3, outside: number): Span[] {
  return blocks.flatMap((blockRows, slab) =>
    blockRows.flatMap((row, r) => {
      const [y, z] = [r * blockSize, slab * blockSize]
      const starts = row.map(({ x }) => x)
      // A block that no sample changes holds one label.
      for (let x = 0; x < nx; x += blockSize) if (indices[(z * ny + y) * nx + x] !== outside) starts.push(x)
      if (starts.length === 0) return []
      return [{ y, z, from: Math.min(...starts), until: Math.min(nx, Math.max(...starts) + blockSize) }]
    }),
  )
}

/** Labels of the box as indices of one byte where 256 suffice. An empty `indexToLabel` stands for the identity. */
function indexLabels<A extends LabelArray>(labels: A, [gx, gy]: Vec3, { start, shape }: Box) {
  const [nx, ny, nz] = shape
  const identity = labels instanceof Uint8Array || labels instanceof Uint16Array
  const indices = new (labels instanceof Uint8Array ? Uint8Array : Uint16Array)(nx * ny * nz)
  const found = new Map<number, number>()
  let previous = Number.NaN
  let index = 0
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const from = ((start[2] + z) * gy + start[1] + y) * gx + start[0]
      const to = (z * ny + y) * nx
      if (identity) {
        indices.set(labels.subarray(from, from + nx), to)
        continue
      }
      for (let x = 0; x < nx; x++) {
        const label = labels[from + x]
        if (label !== previous) {
          previous = label
          index = found.get(label) ?? found.size
          found.set(label, index)
        }
        indices[to + x] = index
      }
    }
  }
  if (found.size > 65536)
    throw new InputError('labels', `hold ${found.size} different values; at most 65536 can be moved`)
  const indexToLabel = new (labels.constructor as new (values: number[]) => A)([...found.keys()])
  return { indices: found.size > 0 && found.size <= 256 ? Uint8Array.from(indices) : indices, indexToLabel }
}
