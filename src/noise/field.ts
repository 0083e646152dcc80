import { Arena, instantiate } from '../kernels/wasm/arena.ts'
import { wasmBase64 } from '../kernels/wasm/generated/field.ts'
import type { Box } from '../volume/box.ts'
import type { Grid } from '../volume/grid.ts'
import { checkStreamNumber, streamSeed } from '../volume/random.ts'
import { type BlockTable, blockSize } from './blocks.ts'
import { type FieldMemory, layOut, type Ring } from './field-memory.ts'
import { batchSize, columnsBefore, type FieldPlan, knotsOf, type NoiseSpans, planField, roundUp } from './field-plan.ts'
import type { NoiseModel } from './model.ts'
import type { Spans } from './spans.ts'

interface Kernels {
  noisePlane(...args: number[]): void
  filterPlanes(...args: number[]): void
  interpolatePlanes(...args: number[]): void
  interpolateRows(...args: number[]): void
  columnMax(dst: number, src: number, rows: number, stride: number, n: number): void
  expandRow(dst: number, row: number, scale: number, matrix: number, taps: number): void
  moveBlock(...args: number[]): void
}

/** How the coefficients of a block row lie in memory, and what moveBlock and expandRow make of them. */
export interface BlockRow {
  /** Address of the first, and from row to row, plane to plane, component to component, in bytes. */
  readonly at: number
  readonly rowStride: number
  readonly planeStride: number
  readonly componentStride: number
  /** A factor of the coefficients, and how many a block along x needs; 0 if they are voxels but for factors. */
  readonly scale: number
  readonly taps: number
  /** Of those, the first four voxels of a block need none from firstTaps on, the others none before lastTap. */
  readonly firstTaps: number
  readonly lastTap: number
  /** Upper bound of |Uᵢ| / max |coefficients along x|, over the box. */
  readonly hullFactor: number
}

/**
 * The unit-variance Gaussian field of the noise model on a box of a grid, made slab by slab (8 voxel planes) and row by
 * row, so that memory stays at a few lattice planes, and only where the blocks of a table need it. Values depend on
 * seed, sample and position in the grid alone, not on box and table.
 *
 * Use: `begin`, then for ascending z `slab(z)`, in it for ascending y `row(y)`; after `row`, the coefficients along x
 * of its 8×8 voxel rows lie as `blockRow` says, where the row's blocks need them.
 */
export class Field {
  readonly kernels: Kernels
  readonly arena = new Arena()
  readonly blockRow: BlockRow

  readonly #box: Box
  readonly #plan: FieldPlan
  readonly #at: FieldMemory
  /** Along x and y the lattice is the voxel grid: the voxel planes are the field but for two factors. */
  readonly #isDirect: boolean
  #words: Uint32Array = new Uint32Array(0)
  #columnBounds: Float32Array = new Float32Array(0)
  #seed = 0
  #sample = 0
  /** The current slab. */
  #z = 0
  /** Next row of the slab's voxel planes to make, next plane of coefficients, next plane of white noise. */
  #nextRow = 0
  #nextKnot = 0
  #nextNoise = 0

  constructor(grid: Grid, noise: NoiseModel, box: Box, blocks: BlockTable) {
    const plan = planField(grid, noise, box, blocks)
    const [x, y] = plan.axes
    this.#box = box
    this.#plan = plan
    this.#at = layOut(this.arena, plan, box)
    this.kernels = instantiate<Kernels>(wasmBase64, this.arena)
    this.#isDirect = x.support === 1 && y.support === 1
    const rowBytes = 4 * plan.rowFloats
    this.blockRow = {
      at: this.#at.rows,
      planeStride: rowBytes,
      rowStride: blockSize * rowBytes,
      componentStride: blockSize * blockSize * rowBytes,
      scale: this.#isDirect ? y.weights[0] : 1,
      taps: x.support === 1 ? 0 : plan.matrixTaps,
      firstTaps: plan.firstTaps,
      lastTap: plan.lastTap,
      hullFactor: plan.hullFactor,
    }
  }

  /** Starts sample number `sample` of the stream `seed` (whole numbers below 2⁵³, else an InputError). */
  begin(seed: number, sample: number): void {
    checkStreamNumber(seed, 'seed')
    checkStreamNumber(sample, 'index')
    // The kernels count samples in 32 bits; each further 2³² of them have a seed of their own.
    const beyond = Math.floor(sample / 2 ** 32)
    this.#seed = beyond === 0 ? seed : streamSeed(seed, 'samples', beyond)
    this.#sample = sample | 0
    this.#words = new Uint32Array(this.arena.memory.buffer)
    this.#columnBounds = this.arena.floats(this.#at.columns, 3 * this.#plan.rowFloats)
    this.#nextNoise = 0
    this.#nextKnot = 0
  }

  /** Begins the voxel planes z … z + 7 of the box; z ascends from call to call. */
  slab(z: number): void {
    const [, , axis] = this.#plan.axes
    const { knots, voxels } = this.#at
    this.#z = z
    this.#nextRow = 0
    if (axis.support === 1) {
      this.#makeNoise(z, z + this.#depth + 2 * axis.radius)
      this.#setFilter(voxels, z, this.#depth)
      return
    }
    const start = this.#box.start[2]
    const [first, behind] = knotsOf(axis, start, z, z + this.#depth)
    const batch = Math.floor(first / batchSize) * batchSize
    for (this.#nextKnot = Math.max(this.#nextKnot, batch); this.#nextKnot < behind; this.#nextKnot += batchSize) {
      const count = Math.min(batchSize, axis.knots - this.#nextKnot)
      this.#makeNoise(this.#nextKnot, this.#nextKnot + count + 2 * axis.radius)
      this.#setFilter(knots, this.#nextKnot, count)
      this.#filter(knots, count, this.#plan.batches[this.#nextKnot / batchSize], 0, knots.rows)
    }
    for (let v = 0; v < this.#depth; v++) {
      const knot = columnsBefore(axis, start, z + v)
      this.#setTable(this.#at.sources + 4 * axis.support * v, knots, knot, axis.support)
    }
  }

  /** Makes the block row of voxel rows y … y + 7 of the current slab, and the bounds of its columns. */
  row(y: number): void {
    const { axes, columns, components, rowFloats } = this.#plan
    const [, axis] = axes
    const count = Math.min(blockSize, this.#box.shape[1] - y)
    const [first, behind] = knotsOf(axis, this.#box.start[1], y, y + count)
    this.#makeVoxelRows(Math.max(first, this.#nextRow), behind)
    this.#nextRow = behind
    if (this.#isDirect) return
    const [from, until] = columns[this.#z / blockSize][y / blockSize]
    const { at, rowStride, planeStride, componentStride } = this.blockRow
    const { voxels } = this.#at
    const weights = this.#at.weights[1] + 4 * axis.support * (this.#box.start[1] + y)
    const places = this.#at.rowPlaces + 4 * axis.support * y
    for (const c of components) {
      const to = at + c * componentStride
      // biome-ignore format: one line a group of arguments
      this.kernels.interpolateRows(
        to, rowStride, voxels.at + c * voxels.bytes, places, this.#depth, count,
        rowFloats, from, until, weights, axis.support,
      )
      const bounds = this.#at.columns + 4 * (c * rowFloats + from)
      this.kernels.columnMax(bounds, to + 4 * from, blockSize * count, planeStride, until - from)
    }
  }

  /** An upper bound of |Uᵢ| over the block whose first voxel is x, in the current row, all components. */
  bound(x: number): number {
    // Where coefficients are voxels, looking at them is as fast as bounding them.
    if (this.#isDirect) return Number.POSITIVE_INFINITY
    const { components, hullFactor, matrixTaps, rowFloats } = this.#plan
    let max = 0
    for (const c of components) {
      const first = c * rowFloats + this.#column(x)
      for (let k = 0; k < matrixTaps; k++) max = Math.max(max, this.#columnBounds[first + k])
    }
    return max * hullFactor
  }

  /** Byte offset, within a row, of the coefficients of the block whose first voxel is x. */
  blockOffset(x: number): number {
    return 4 * this.#column(x)
  }

  /** Address of the matrix that expands coefficients to the 8 voxels of the block whose first voxel is x. */
  matrix(x: number): number {
    return this.#at.matrices + (x / blockSize) * this.#plan.matrixTaps * blockSize * 4
  }

  #column(x: number): number {
    return columnsBefore(this.#plan.axes[0], this.#box.start[0], x)
  }

  /** Planes of the current slab. */
  get #depth(): number {
    return Math.min(blockSize, this.#box.shape[2] - this.#z)
  }

  /** Makes the rows from … behind − 1 of the slab's voxel planes; along x and y they are coefficients still. */
  #makeVoxelRows(from: number, behind: number): void {
    const { axes, components, rowFloats, slabs } = this.#plan
    const axis = axes[2]
    const { knots, sources, voxels } = this.#at
    const spans = slabs[this.#z / blockSize]
    const weights = this.#at.weights[2] + 4 * axis.support * (this.#box.start[2] + this.#z)
    // Part by part, where the ring begins anew.
    for (let until = from; from < behind; from = until) {
      until = Math.min(behind, from - (from % voxels.rows) + voxels.rows)
      if (axis.support === 1) {
        this.#filter(voxels, this.#depth, spans, from, until)
        continue
      }
      for (const c of components) {
        // biome-ignore format: one line a group of arguments
        this.kernels.interpolatePlanes(
          rowOf(voxels, c, from), voxels.rowBytes, rowOf(knots, c, from), knots.rowBytes, sources,
          this.#depth, until - from, rowFloats, this.#addressOf(spans) + 8 * from, weights,
        )
      }
    }
  }

  /** Writes the tables for `count` planes of a ring, from the plane `first` on, filtered from white noise. */
  #setFilter(ring: Ring, first: number, count: number): void {
    const taps = Math.max(3, this.#plan.axes[2].taps.length)
    this.#setTable(this.#at.sources, this.#at.noise, first, roundUp(count, batchSize) + taps - 1)
    this.#setTable(this.#at.targets, ring, first, count)
  }

  /** Filters white noise along z to the rows from … until − 1 of a ring, by the tables of setFilter. */
  #filter(ring: Ring, count: number, spans: Spans, from: number, until: number): void {
    const { axes, components } = this.#plan
    const { taps, support, weights } = axes[2]
    const { noise, sources, targets } = this.#at
    for (const c of components) {
      // biome-ignore format: one line a group of arguments
      this.kernels.filterPlanes(
        rowOf(ring, c, from), ring.rowBytes, targets, rowOf(noise, c, from), noise.rowBytes, sources,
        count, until - from, this.#addressOf(spans) + 8 * from, this.#at.taps[2], Math.max(3, taps.length),
        support === 1 ? weights[0] : 1,
      )
    }
  }

  /** Makes the planes of white noise from … until − 1, filtered along x and y. */
  #makeNoise(from: number, until: number): void {
    for (this.#nextNoise = Math.max(this.#nextNoise, from); this.#nextNoise < until; this.#nextNoise++) {
      const spans = this.#plan.noise[this.#nextNoise]
      if (spans) this.#makeNoisePlane(this.#nextNoise, spans)
    }
  }

  #makeNoisePlane(plane: number, { filtered, fours }: NoiseSpans): void {
    const { axes, components, rowFloats } = this.#plan
    const [x, y, z] = axes
    const { filteredCount, filteredRows, noise, noiseRows, taps } = this.#at
    const k0 = this.#seed | 0
    const k1 = Math.floor(this.#seed / 2 ** 32) | 0
    const firstNode = x.firstKnot - x.radius
    const group = Math.floor(firstNode / 4)
    for (const c of components) {
      // Counter (x group, y, 4·z + component, sample): no two numbers of a stream share an address.
      const counter = 4 * (z.firstKnot - z.radius + plane) + c
      // biome-ignore format: one line a group of arguments
      this.kernels.noisePlane(
        rowOf(noise, c, 0) + this.#place(noise, plane), noise.rowBytes, y.knots, rowFloats,
        this.#addressOf(filtered), this.#addressOf(fours), filteredRows, filteredCount, noiseRows,
        group, firstNode - 4 * group, taps[0], x.taps.length, taps[1], y.taps.length,
        y.firstKnot - y.radius, counter, this.#sample, k0, k1,
      )
    }
  }

  /** Where a plane begins in the rows of its ring. */
  #place(ring: Ring, plane: number): number {
    return 4 * this.#plan.rowFloats * (plane % ring.planes)
  }

  /** Writes a table of the places of `count` planes of a ring, from `first` on. */
  #setTable(at: number, ring: Ring, first: number, count: number): void {
    for (let k = 0; k < count; k++) this.#words[at / 4 + k] = this.#place(ring, first + k)
  }

  #addressOf(spans: Spans): number {
    return this.#at.spans.get(spans) as number
  }
}

/** Address of a component's row in a ring, all planes. */
function rowOf(ring: Ring, component: number, row: number): number {
  return ring.at + component * ring.bytes + (row % ring.rows) * ring.rowBytes
}
