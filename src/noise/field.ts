import { Arena, instantiate } from '../kernels/wasm/arena.ts'
import { wasmBase64 } from '../kernels/wasm/generated/field.ts'
import type { Box } from '../volume/box.ts'
import type { Grid } from '../volume/grid.ts'
import { checkStreamNumber, streamSeed } from '../volume/random.ts'
import { type AxisFilter, designAxis } from './axis.ts'
import type { NoiseModel } from './model.ts'

/** Voxels are treated in blocks of 8×8×8. */
export const blockSize = 8

interface Kernels {
  noiseRows(...args: number[]): void
  filterRows(dst: number, src: number, rows: number, n: number, weights: number, taps: number): void
  interpolateRows(dst: number, src: number, first: number, rows: number, n: number, weights: number, taps: number): void
  combinePlanes(dst: number, planes: number, n: number, weights: number, taps: number): void
  columnMax(dst: number, src: number, rows: number, stride: number, n: number): void
  expandRow(dst: number, row: number, matrix: number, taps: number): void
  moveBlock(...args: number[]): void
}

/** What one axis needs to go from lattice to voxels of the box. */
interface AxisPlan extends AxisFilter {
  /** Lattice index of the first coefficient, and how many the box needs. */
  readonly firstKnot: number
  readonly knots: number
  /** Where the filter taps and the interpolation weights lie in memory. */
  readonly tapsAt: number
  readonly weightsAt: number
}

/**
 * The unit-variance Gaussian field of the noise model on a box of a grid, made slab by slab (8 voxel planes) and row by
 * row, so that memory stays at a few lattice planes. Values depend on seed, sample and position in the grid alone, not
 * on the box.
 *
 * Use: `begin`, then for ascending z `slab(z)`, in it for any y `row(y)`; after `row`, the coefficients along x of the
 * 8×8 voxel rows lie at `rows` (see moveBlock in assembly/field.ts).
 */
export class Field {
  readonly kernels: Kernels
  readonly arena: Arena
  readonly box: Box
  /** Address of the current block row's coefficients, with strides in bytes. */
  readonly rows: number
  readonly rowStride: number
  readonly componentStride: number
  /** Coefficients that a block of 8 voxels along x needs. */
  readonly matrixTaps: number
  /** Upper bound of |Uᵢ| / max |coefficients along x|, over the box. */
  readonly hullFactor: number

  readonly #axes: readonly [AxisPlan, AxisPlan, AxisPlan]
  readonly #matrices: number
  readonly #components: readonly number[]
  readonly #group: number
  readonly #groups: number
  readonly #rowFloats: number
  readonly #planeBytes: number
  readonly #noiseRow: number
  readonly #noiseRows: number
  readonly #filteredRows: number
  readonly #noisePlanes: number
  readonly #knotPlanes: number
  readonly #knotRing: number
  readonly #voxelPlanes: number
  readonly #columns: number
  readonly #table: number
  /** Per voxel row of the box, the row of coefficients that it starts from (int32). */
  readonly #rowKnots: number
  #columnBounds: Float32Array = new Float32Array(0)
  #seed = 0
  #sample = 0
  /** Next lattice plane of white noise and of coefficients to make. */
  #nextNoise = 0
  #nextKnot = 0

  constructor(grid: Grid, noise: NoiseModel, box: Box, arena = new Arena()) {
    this.arena = arena
    this.box = box
    this.kernels = instantiate<Kernels>(wasmBase64, arena)
    const plan = (axis: number): AxisPlan => {
      const filter = designAxis(grid.shape[axis], noise.lengthMm / grid.spacing[axis])
      const firstKnot = knotOf(filter, box.start[axis])
      const knots = knotOf(filter, box.start[axis] + box.shape[axis] - 1) + filter.support - firstKnot
      return { ...filter, firstKnot, knots, tapsAt: arena.store(filter.taps), weightsAt: arena.store(filter.weights) }
    }
    this.#axes = [plan(0), plan(1), plan(2)]
    const [x, y, z] = this.#axes
    // A displacement along an axis of one voxel, or of strength 0, moves nothing: its rows stay zero.
    this.#components = [0, 1, 2].filter((c) => grid.shape[c] > 1 && noise.sigmaMm[c] > 0)

    const knotsPerBlock = (blockSize - 1) / x.stride
    this.matrixTaps = x.support + (x.stride === 1 ? blockSize - 1 : Math.ceil(knotsPerBlock))
    const { matrices, hullFactor } = this.#expansion()
    this.#matrices = arena.store(matrices)
    this.hullFactor = hullFactor

    // The last block's matrix may read past the last knot; those weights are zero but the memory must be there.
    const lastBlock = Math.floor((box.shape[0] - 1) / blockSize) * blockSize
    this.#rowFloats = roundUp(knotOf(x, box.start[0] + lastBlock) - x.firstKnot + this.matrixTaps, 4)
    this.#group = Math.floor((x.firstKnot - x.radius) / 4)
    this.#groups = Math.ceil((x.firstKnot - x.radius - 4 * this.#group + this.#rowFloats + 2 * x.radius) / 4)
    this.#noiseRow = arena.reserve(4 * this.#groups * 16)
    const rowBytes = this.#rowFloats * 4
    this.#noiseRows = roundUp(y.knots + 2 * y.radius, 4)
    this.#filteredRows = arena.reserve(this.#noiseRows * rowBytes)
    this.#planeBytes = y.knots * rowBytes
    this.#noisePlanes = arena.reserve(3 * z.taps.length * this.#planeBytes)
    this.#knotRing = z.support + Math.ceil((blockSize - 1) / z.stride) + 1
    this.#knotPlanes = arena.reserve(3 * this.#knotRing * this.#planeBytes)
    this.#voxelPlanes = arena.reserve(3 * blockSize * this.#planeBytes)
    this.rowStride = rowBytes
    this.componentStride = blockSize * blockSize * rowBytes
    this.rows = arena.reserve(3 * this.componentStride)
    this.#columns = arena.reserve(3 * rowBytes)
    this.#table = arena.reserve(4 * Math.max(z.taps.length, z.support))
    this.#rowKnots = arena.store(
      Uint32Array.from({ length: box.shape[1] }, (_, v) => knotOf(y, box.start[1] + v) - y.firstKnot),
    )
  }

  /** Starts sample number `sample` of the stream `seed` (whole numbers below 2⁵³, else an InputError). */
  begin(seed: number, sample: number): void {
    checkStreamNumber(seed, 'seed')
    checkStreamNumber(sample, 'index')
    // The kernels count samples in 32 bits; each further 2³² of them have a seed of their own.
    const beyond = Math.floor(sample / 2 ** 32)
    this.#seed = beyond === 0 ? seed : streamSeed(seed, 'samples', beyond)
    this.#sample = sample | 0
    this.#columnBounds = this.arena.floats(this.#columns, 3 * this.#rowFloats)
    this.#nextNoise = this.#axes[2].firstKnot - this.#axes[2].radius
    this.#nextKnot = this.#axes[2].firstKnot
  }

  /** Makes the voxel planes z … z + 7 of the box; z ascends from call to call. */
  slab(z: number): void {
    const axis = this.#axes[2]
    const end = Math.min(z + blockSize, this.box.shape[2])
    const lastKnot = knotOf(axis, this.box.start[2] + end - 1) + axis.support
    // Planes that no slab asked for need not be filtered, but white noise is cheap to skip only as whole planes.
    this.#nextKnot = Math.max(this.#nextKnot, knotOf(axis, this.box.start[2] + z))
    this.#nextNoise = Math.max(this.#nextNoise, this.#nextKnot - axis.radius)
    for (; this.#nextKnot < lastKnot; this.#nextKnot++) {
      while (this.#nextNoise <= this.#nextKnot + axis.radius) this.#makeNoisePlane(this.#nextNoise++)
      for (const c of this.#components) {
        const to = this.#ring(this.#knotPlanes, c, this.#knotRing, this.#nextKnot)
        this.#combine(to, axis.taps.length, axis.tapsAt, (k) =>
          this.#ring(this.#noisePlanes, c, axis.taps.length, this.#nextKnot - axis.radius + k),
        )
      }
    }
    for (let v = z; v < end; v++) {
      const voxel = this.box.start[2] + v
      const knot = knotOf(axis, voxel)
      for (const c of this.#components) {
        const to = this.#voxelPlanes + (c * blockSize + v - z) * this.#planeBytes
        this.#combine(to, axis.support, axis.weightsAt + 4 * axis.support * voxel, (k) =>
          this.#ring(this.#knotPlanes, c, this.#knotRing, knot + k),
        )
      }
    }
  }

  /** Makes the block row of voxel rows y … y + 7 of the current slab, and the bounds of its columns. */
  row(y: number): void {
    const axis = this.#axes[1]
    const count = Math.min(blockSize, this.box.shape[1] - y)
    const weights = axis.weightsAt + 4 * axis.support * (this.box.start[1] + y)
    for (const c of this.#components) {
      const component = this.rows + c * this.componentStride
      for (let z = 0; z < blockSize; z++) {
        const plane = this.#voxelPlanes + (c * blockSize + z) * this.#planeBytes
        const to = component + z * blockSize * this.rowStride
        this.kernels.interpolateRows(to, plane, this.#rowKnots + 4 * y, count, this.#rowFloats, weights, axis.support)
      }
      const columns = this.#columns + c * this.rowStride
      this.#columnBounds.fill(0, c * this.#rowFloats, (c + 1) * this.#rowFloats)
      this.kernels.columnMax(columns, component, blockSize * blockSize, this.rowStride, this.#rowFloats)
    }
  }

  /** An upper bound of |Uᵢ| over the block whose first voxel is x, in the current row, all components. */
  bound(x: number): number {
    let max = 0
    for (const c of this.#components) {
      const first = c * this.#rowFloats + this.#column(x)
      for (let k = 0; k < this.matrixTaps; k++) max = Math.max(max, this.#columnBounds[first + k])
    }
    return max * this.hullFactor
  }

  /** Byte offset, within a row, of the coefficients of the block whose first voxel is x. */
  blockOffset(x: number): number {
    return 4 * this.#column(x)
  }

  /** Address of the matrix that expands coefficients to the 8 voxels of the block whose first voxel is x. */
  matrix(x: number): number {
    return this.#matrices + (x / blockSize) * this.matrixTaps * blockSize * 4
  }

  #column(x: number): number {
    return knotOf(this.#axes[0], this.box.start[0] + x) - this.#axes[0].firstKnot
  }

  /** One matrix a block along x, matrixTaps × 8, and the hull factor. */
  #expansion(): { matrices: Float32Array; hullFactor: number } {
    const axis = this.#axes[0]
    const extent = this.box.shape[0]
    const blocks = Math.ceil(extent / blockSize)
    const matrices = new Float32Array(blocks * this.matrixTaps * blockSize)
    let hullFactor = 0
    for (let x = 0; x < extent; x++) {
      const voxel = this.box.start[0] + x
      const block = Math.floor(x / blockSize)
      const shift = knotOf(axis, voxel) - knotOf(axis, this.box.start[0] + block * blockSize)
      let sum = 0
      for (let t = 0; t < axis.support; t++) {
        const weight = axis.weights[voxel * axis.support + t]
        matrices[(block * this.matrixTaps + shift + t) * blockSize + (x % blockSize)] = weight
        sum += Math.abs(weight)
      }
      hullFactor = Math.max(hullFactor, sum)
    }
    // float32 sums may exceed the bound by round-off.
    return { matrices, hullFactor: hullFactor * 1.00001 }
  }

  #makeNoisePlane(plane: number): void {
    const [x, y, z] = this.#axes
    const k0 = this.#seed | 0
    const k1 = Math.floor(this.#seed / 2 ** 32) | 0
    const skip = x.firstKnot - x.radius - 4 * this.#group
    for (const c of this.#components) {
      // Counter (x group, y, 4·z + component, sample): no two numbers of a stream share an address.
      this.kernels.noiseRows(
        ...[this.#filteredRows, this.#noiseRows, this.#rowFloats, this.#noiseRow, this.#groups],
        ...[this.#group, skip, x.tapsAt, x.taps.length, y.firstKnot - y.radius, 4 * plane + c, this.#sample, k0, k1],
      )
      const to = this.#ring(this.#noisePlanes, c, z.taps.length, plane)
      this.kernels.filterRows(to, this.#filteredRows, y.knots, this.#rowFloats, y.tapsAt, y.taps.length)
    }
  }

  /** Combines whole planes with `taps` weights. */
  #combine(to: number, taps: number, weights: number, plane: (k: number) => number): void {
    const table = new Uint32Array(this.arena.memory.buffer, this.#table, taps)
    for (let k = 0; k < taps; k++) table[k] = plane(k)
    this.kernels.combinePlanes(to, this.#table, this.#planeBytes / 4, weights, taps)
  }

  #ring(base: number, component: number, size: number, index: number): number {
    return base + (component * size + (((index % size) + size) % size)) * this.#planeBytes
  }
}

/** Lattice index of the first coefficient that a voxel needs. */
function knotOf(axis: AxisFilter, voxel: number): number {
  return Math.floor(voxel / axis.stride) + axis.offset
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}
