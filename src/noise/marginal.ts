import { normalCdf } from '../kernels/normal-cdf.ts'
import { Arena, instantiate } from '../kernels/wasm/arena.ts'
import { wasmBase64 } from '../kernels/wasm/generated/marginal.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, type Vec3, voxelCount } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { type Box, boxOf, growBox } from './box.ts'
import { checkSigma } from './model.ts'

/** Probabilities on a part of a grid, i fastest; beyond the box they are below 2·10⁻⁹. */
export interface BoxedMarginal {
  readonly box: Box
  readonly data: Float32Array
}

/**
 * The probability of a class at every voxel under the label noise, in closed form (theory.md §2; arXiv 2304.04116):
 * m(x) = Σ_{v: l(v)=c} Π_axis [Φ((v−x+½)Δ/σ) − Φ((v−x−½)Δ/σ)], with the reference continued beyond the grid by its edge
 * voxels. It is exact for the nearest-voxel sampler (`createSampler`), whatever the length scale.
 *
 * @param labels one integer class per voxel, i fastest
 * @param label the class; a label that does not occur has probability 0 everywhere
 * @param sigmaMm standard deviation of the displacement per axis of the grid, mm; 0 leaves an axis unmoved
 * @returns one probability per voxel, within 10⁻⁶ of the formula
 * @throws InputError for σ that is not positive
 * @example
 * const m = marginal(labels, grid, 1, [4, 4, 4])
 */
export function marginal(labels: LabelArray, grid: Grid, label: number, sigmaMm: Vec3): Float32Array {
  const out = new Float32Array(voxelCount(grid))
  const part = marginalInBox(labels, grid, label, sigmaMm)
  if (!part) return out
  const [nx, ny, nz] = part.box.shape
  const [x0, y0, z0] = part.box.start
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const from = (z * ny + y) * nx
      out.set(part.data.subarray(from, from + nx), ((z0 + z) * grid.shape[1] + y0 + y) * grid.shape[0] + x0)
    }
  }
  return out
}

/**
 * As `marginal`, but only where the probability is not negligible: the class's bounding box grown by 6σ. The values
 * outside sum to less than 10⁻⁸ of the class's volume. undefined if the label does not occur.
 */
export function marginalInBox(labels: LabelArray, grid: Grid, label: number, sigmaMm: Vec3): BoxedMarginal | undefined {
  checkSigma(sigmaMm)
  const source = classBox(labels, grid.shape, label)
  if (!source) return undefined
  const reach = sigmaMm.map((s, axis) => (grid.shape[axis] > 1 ? Math.ceil((tail * s) / grid.spacing[axis]) : 0))
  const box = growBox(source, reach as unknown as Vec3, grid)
  const [nx, ny, nz] = box.shape
  const weights = [0, 1, 2].map((axis) => axisWeights(grid, sigmaMm, axis)) as [AxisWeights, AxisWeights, AxisWeights]

  const arena = new Arena()
  const kernels = instantiate<{ bandRows(...args: number[]): void }>(wasmBase64, arena)
  const row = Math.ceil(nx / 8) * 8
  const rows = (n: number) => Math.ceil(n / 4) * 4 // bandRows writes four rows at a time
  const first = arena.reserve(4 * row * source.shape[1] * source.shape[2])
  const second = arena.reserve(4 * row * rows(ny) * source.shape[2])
  const third = arena.reserve(4 * row * rows(ny) * rows(nz))
  const bands = [1, 2].map((axis) => bandsOf(weights[axis], box, source, axis, arena))

  alongRows(
    labels,
    grid.shape,
    label,
    weights[0],
    source,
    box,
    row,
    arena.floats(first, row * source.shape[1] * source.shape[2]),
  )
  for (let z = 0; z < source.shape[2]; z++) {
    const plane = second + 4 * row * rows(ny) * z
    for (const { at, from, to, band } of bands[0]) {
      const src = first + 4 * row * (z * source.shape[1] + from)
      kernels.bandRows(plane + 4 * row * to, 4 * row, src, 4 * row, row, at, band)
    }
  }
  const planeBytes = 4 * row * rows(ny)
  for (const { at, from, to, band } of bands[1]) {
    kernels.bandRows(third + planeBytes * to, planeBytes, second + planeBytes * from, planeBytes, row * ny, at, band)
  }

  const data = new Float32Array(nx * ny * nz)
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      data.set(arena.floats(third + planeBytes * z + 4 * row * y, nx), (z * ny + y) * nx)
    }
  }
  return { box, data }
}

/** Displacements beyond this many σ have probability 2·10⁻⁹ an axis: less than float32 resolves near 1. */
const tail = 6

/** Probability that a voxel x along one axis ends in voxel v: a function of v − x, with the edges' continuation. */
interface AxisWeights {
  /** P(displacement ≤ n + ½ voxels), for −reach − 1 ≤ n ≤ reach at index n + reach + 1. */
  readonly cumulative: Float64Array
  readonly reach: number
  readonly extent: number
}

function axisWeights(grid: Grid, sigmaMm: Vec3, axis: number): AxisWeights {
  const extent = grid.shape[axis]
  const sigma = sigmaMm[axis] / grid.spacing[axis]
  // No displacement: the step function. Beyond the reach the cumulative function counts as 0 or 1.
  const reach = extent > 1 ? Math.ceil(tail * sigma) : 0
  const cumulative = Float64Array.from({ length: 2 * reach + 2 }, (_, i) => {
    const n = i - reach - 1
    if (n < -reach) return 0
    return n >= reach ? 1 : normalCdf((n + 0.5) / sigma)
  })
  return { cumulative, reach, extent }
}

/** P(voxel x ends at or below v), v within the grid; everything beyond the last voxel ends there. */
function cumulativeAt({ cumulative, reach, extent }: AxisWeights, x: number, v: number): number {
  if (v < 0) return 0
  if (v >= extent - 1) return 1
  return cumulative[Math.max(0, Math.min(cumulative.length - 1, v - x + reach + 1))]
}

/** The class's rows convolved along i, from its runs: only the ends of runs need the cumulative function. */
function alongRows(
  labels: LabelArray,
  [gx, gy]: Vec3,
  label: number,
  weights: AxisWeights,
  source: Box,
  box: Box,
  rowFloats: number,
  out: Float32Array,
): void {
  const [x0, y0, z0] = source.start
  const low = box.start[0]
  const high = low + box.shape[0]
  const { reach } = weights
  for (let z = 0; z < source.shape[2]; z++) {
    for (let y = 0; y < source.shape[1]; y++) {
      const row = ((z0 + z) * gy + y0 + y) * gx
      const to = (z * source.shape[1] + y) * rowFloats - low
      const end = row + x0 + source.shape[0]
      for (let i = row + x0; i < end; i++) {
        if (labels[i] !== label) continue
        const a = i - row
        while (i < end && labels[i] === label) i++
        const b = i - row
        const from = Math.max(low, a - reach - 1)
        const until = Math.min(high, b + reach + 1)
        for (let x = from; x < until; x++) {
          out[to + x] += cumulativeAt(weights, x, b - 1) - cumulativeAt(weights, x, a - 1)
        }
      }
    }
  }
}

/** For every four rows of the box: the source rows that reach them and the weights, [band][4] in memory. */
function bandsOf(weights: AxisWeights, box: Box, source: Box, axis: number, arena: Arena) {
  const bands: { at: number; from: number; to: number; band: number }[] = []
  const { reach } = weights
  const start = source.start[axis]
  const end = start + source.shape[axis]
  for (let to = 0; to < box.shape[axis]; to += 4) {
    const x = box.start[axis] + to
    // An edge voxel stands for all beyond it, so it reaches as far as its continuation: still within the box's margin.
    const from = Math.max(start, Math.min(x - reach, end - 1))
    const until = Math.max(from + 1, Math.min(end, x + 3 + reach + 1))
    const table = new Float32Array(4 * (until - from))
    for (let v = from; v < until; v++) {
      for (let r = 0; r < 4; r++) {
        table[4 * (v - from) + r] = cumulativeAt(weights, x + r, v) - cumulativeAt(weights, x + r, v - 1)
      }
    }
    bands.push({ at: arena.store(table), from: from - start, to, band: until - from })
  }
  return bands
}

/** The bounding box of one class. */
function classBox(labels: LabelArray, shape: Vec3, label: number): Box | undefined {
  if (!Number.isInteger(label)) throw new InputError('label', `${label} is not an integer`)
  // boxOf compares bytes four at a time; then the box of everything else is narrowed to the class.
  const outer: Box | undefined = labels[0] === label ? { start: [0, 0, 0], shape } : boxOf(labels, shape, labels[0])
  if (!outer) return undefined
  const low = [shape[0], shape[1], shape[2]]
  const high = [-1, -1, -1]
  const [sx, sy, sz] = outer.start
  for (let z = sz; z < sz + outer.shape[2]; z++) {
    for (let y = sy; y < sy + outer.shape[1]; y++) {
      const row = (z * shape[1] + y) * shape[0]
      const end = row + sx + outer.shape[0]
      let first = row + sx
      while (first < end && labels[first] !== label) first++
      if (first === end) continue
      let last = end - 1
      while (labels[last] !== label) last--
      low[0] = Math.min(low[0], first - row)
      high[0] = Math.max(high[0], last - row)
      low[1] = Math.min(low[1], y)
      high[1] = Math.max(high[1], y)
      low[2] = Math.min(low[2], z)
      high[2] = z
    }
  }
  if (high[0] < 0) return undefined
  return {
    start: [low[0], low[1], low[2]],
    shape: [high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1],
  }
}
