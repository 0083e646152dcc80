import { normalCdf } from '../kernels/normal-cdf.ts'
import { Arena, instantiate } from '../kernels/wasm/arena.ts'
import { wasmBase64 } from '../kernels/wasm/generated/marginal.ts'
import { type Box, boxOfLabel, growBox } from '../volume/box.ts'
import { checkLabelArgument, checkLabelArray, checkVoxels } from '../volume/checks.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, type Vec3, voxelCount } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { checkSigma } from './model.ts'

/** Probabilities on a part of a grid, i fastest; beyond the box they are below 10⁻⁷. */
export interface BoxedMarginal {
  readonly box: Box
  readonly data: Float32Array
}

/**
 * The probability of a class at every voxel under the label noise, in closed form (docs/theory.md, "Marginals in closed
 * form"; arXiv 2304.04116): m(x) = Σ_{v: l(v)=c} Π_axis [Φ((v−x+½)Δ/σ) − Φ((v−x−½)Δ/σ)], with the reference continued
 * beyond the grid by its edge voxels. It is exact for the nearest-voxel sampler (`createSampler`), whatever the length
 * scale.
 *
 * @param labels one integer class per voxel, i fastest
 * @param label the class; a label that does not occur has probability 0 everywhere
 * @param sigmaMm standard deviation of the displacement per axis of the grid, mm; 0 leaves an axis unmoved
 * @param out memory for the result, overwritten; without it a new array
 * @returns one probability per voxel, within 10⁻⁶ of the formula
 * @throws InputError for labels that do not fit the grid, and σ that is not positive
 * @example
 * const labels = Uint8Array.of(0, 0, 1, 1)
 * marginal(labels, createGrid([4, 1, 1]), 1, [1, 1, 1]) // [0.0668…, 0.308…, 0.691…, 0.933…]
 */
export function marginal(
  labels: LabelArray,
  grid: Grid,
  label: number,
  sigmaMm: Vec3,
  out?: Float32Array,
): Float32Array {
  checkArguments(labels, grid, label, sigmaMm)
  const n = voxelCount(grid)
  if (out) {
    checkVoxels(out, 'out', n)
    if (!(out instanceof Float32Array)) throw new InputError('out', 'is no Float32Array; give one, or leave it out')
  }
  const result = out?.fill(0) ?? new Float32Array(n)
  const part = partOf(labels, grid, label, sigmaMm)
  if (part) convolve(labels, grid, label, sigmaMm, part, result, grid.shape, part.box.start)
  return result
}

/**
 * As `marginal`, but only where the probability is not negligible: the class's bounding box grown by 5.5σ. The values
 * outside sum to less than 10⁻⁶ of the class's volume.
 *
 * @returns a box of the grid and one probability for each of its voxels, i fastest; undefined if the label does not
 * occur
 * @throws InputError as `marginal` does
 * @example
 * const labels = Uint8Array.from({ length: 100 }, (_, i) => (i === 50 ? 1 : 0))
 * marginalInBox(labels, createGrid([100, 1, 1]), 1, [1, 1, 1])?.box // { start: [44, 0, 0], shape: [13, 1, 1] }
 */
export function marginalInBox(labels: LabelArray, grid: Grid, label: number, sigmaMm: Vec3): BoxedMarginal | undefined {
  checkArguments(labels, grid, label, sigmaMm)
  const part = partOf(labels, grid, label, sigmaMm)
  if (!part) return undefined
  const { box } = part
  const data = new Float32Array(box.shape[0] * box.shape[1] * box.shape[2])
  convolve(labels, grid, label, sigmaMm, part, data, box.shape, [0, 0, 0])
  return { box, data }
}

function checkArguments(labels: LabelArray, grid: Grid, label: number, sigmaMm: Vec3): void {
  checkLabelArray(labels, grid)
  checkLabelArgument(label)
  checkSigma(sigmaMm)
}

/** The class's bounding box, and that of the voxels it can reach. */
interface Part {
  readonly source: Box
  readonly box: Box
}

function partOf(labels: LabelArray, grid: Grid, label: number, sigmaMm: Vec3): Part | undefined {
  const source = boxOfLabel(labels, grid.shape, label)
  if (!source) return undefined
  const reach = sigmaMm.map((s, axis) => (grid.shape[axis] > 1 ? Math.ceil((tail * s) / grid.spacing[axis]) : 0))
  const box = growBox(source, [reach[0], reach[1], reach[2]], grid)
  return { source, box }
}

/**
 * The three passes, along i from the runs of the class, then along j and k as banded matrices. Planes are made as they
 * are needed and dropped as soon as no later one reaches back to them, so the working memory is a few σ of planes.
 *
 * @param out zeros of shape `outShape`; the box's first voxel goes to `at`
 */
function convolve(
  labels: LabelArray,
  grid: Grid,
  label: number,
  sigmaMm: Vec3,
  { source, box }: Part,
  out: Float32Array,
  outShape: Vec3,
  at: Vec3,
): void {
  const [nx, ny, nz] = box.shape
  const [, sourceRows, sourcePlanes] = source.shape
  const { arena, kernels } = workspace()
  const rowBytes = 4 * roundUp(nx, 8)
  const planeBytes = rowBytes * roundUp(ny, 4) // bandRows writes four rows at a time
  const weights = [0, 1, 2].map((axis) => axisWeights(grid, sigmaMm, axis))
  const [alongY, alongZ] = [1, 2].map((axis) => bandsOf(weights[axis], box, source, axis, arena))

  const capacity = Math.min(sourcePlanes, 2 * Math.max(...alongZ.map(({ band }) => band)))
  const alongX = arena.reserve(rowBytes * sourceRows)
  const planes = arena.reserve(planeBytes * capacity)
  const results = arena.reserve(4 * rowBytes)
  const memory = new Uint8Array(arena.memory.buffer)
  const floats = arena.floats(0, memory.length / 4)
  // Where rows are empty, so are sums over them: each step works on the union of its rows' extents.
  const extents: Extent[] = []
  let firstPlane = 0
  let nextPlane = 0

  const makePlane = (z: number) => {
    const rowExtents = runsAlongX(
      labels,
      grid.shape,
      label,
      weights[0],
      source,
      box,
      z,
      floats,
      alongX / 4,
      rowBytes / 4,
    )
    const plane = planes + planeBytes * (z - firstPlane)
    memory.fill(0, plane, plane + planeBytes)
    for (const { weightsAt, from, to, band } of alongY) {
      const extent = union(rowExtents, from, band, 1)
      for (let r = to; r < Math.min(ny, to + 4); r++) extents[z * ny + r] = extent
      if (extent.until <= extent.from) continue
      const src = alongX + rowBytes * from + 4 * extent.from
      const dst = plane + rowBytes * to + 4 * extent.from
      kernels.bandRows(dst, rowBytes, src, rowBytes, extent.until - extent.from, weightsAt, band)
    }
  }

  for (const { weightsAt, from, to, band } of alongZ) {
    if (from + band - firstPlane > capacity) {
      memory.copyWithin(
        planes,
        planes + planeBytes * (from - firstPlane),
        planes + planeBytes * (nextPlane - firstPlane),
      )
      firstPlane = from
    }
    for (; nextPlane < from + band; nextPlane++) makePlane(nextPlane)
    for (let y = 0; y < ny; y++) {
      const extent = union(extents, from * ny + y, band, ny)
      if (extent.until <= extent.from) continue
      const src = planes + planeBytes * (from - firstPlane) + rowBytes * y + 4 * extent.from
      const n = extent.until - extent.from
      kernels.bandRows(results, rowBytes, src, planeBytes, n, weightsAt, band)
      const count = Math.min(n, nx - extent.from)
      for (let r = 0; r < Math.min(4, nz - to); r++) {
        const row = (results + r * rowBytes) / 4
        const target = ((at[2] + to + r) * outShape[1] + at[1] + y) * outShape[0] + at[0] + extent.from
        out.set(floats.subarray(row, row + count), target)
      }
    }
  }
}

interface Workspace {
  readonly arena: Arena
  readonly kernels: { bandRows(...args: number[]): void }
}

let kept: Workspace | undefined

/** Working memory that one call leaves to the next, unless it has grown large: fresh pages cost more than the sums. */
function workspace(): Workspace {
  if (!kept || kept.arena.memory.buffer.byteLength > 2 ** 26) {
    const arena = new Arena()
    kept = { arena, kernels: instantiate(wasmBase64, arena) }
  }
  kept.arena.reset()
  return kept
}

/** The part of a row that may differ from 0, in floats from the row's start, multiples of 8. */
interface Extent {
  readonly from: number
  readonly until: number
}

function union(extents: readonly Extent[], first: number, count: number, stride: number): Extent {
  let from = Number.POSITIVE_INFINITY
  let until = 0
  for (let k = 0; k < count; k++) {
    const extent = extents[first + k * stride]
    if (extent.from < from) from = extent.from
    if (extent.until > until) until = extent.until
  }
  return { from, until }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}

/** Displacements beyond this many σ have probability 4·10⁻⁸ an axis: less than float32 resolves near 1. */
const tail = 5.5

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

/**
 * One plane of the class convolved along i. A run of the class adds the difference of the cumulative function at its
 * ends, so only the neighbourhoods of the ends need a table.
 *
 * @param out where the plane's rows go, `rowFloats` apart, from element `at`
 */
function runsAlongX(
  labels: LabelArray,
  [gx, gy]: Vec3,
  label: number,
  { cumulative, reach, extent }: AxisWeights,
  source: Box,
  box: Box,
  z: number,
  out: Float32Array,
  at: number,
  rowFloats: number,
): Extent[] {
  const low = box.start[0]
  const high = low + box.shape[0]
  const begin = source.start[0]
  const end = begin + source.shape[0]
  const extents: Extent[] = []
  out.fill(0, at, at + rowFloats * source.shape[1])
  for (let y = 0; y < source.shape[1]; y++) {
    const row = ((source.start[2] + z) * gy + source.start[1] + y) * gx
    const to = at + rowFloats * y - low
    let from = high
    let until = low
    for (let a = begin; a < end; a++) {
      if (labels[row + a] !== label) continue
      let b = a + 1
      while (b < end && labels[row + b] === label) b++
      // Voxel x ends in the run [a, b) with probability C(b − 1 − x) − C(a − 1 − x); beyond the grid a run goes on.
      const start = a === 0 ? low : Math.max(low, a - reach)
      const stop = b === extent ? high : Math.min(high, b + reach)
      // C(b − 1 − x) is 1 before `settled`, C(a − 1 − x) is 0 from `cleared` on; differences in double are never below
      // 0.
      const settled = b === extent ? stop : Math.max(start, b - reach)
      const cleared = a === 0 ? start : Math.min(stop, a + reach)
      const first = Math.min(settled, cleared)
      const second = Math.max(settled, cleared)
      for (let x = start; x < first; x++) out[to + x] += 1 - cumulative[a - x + reach]
      if (settled < cleared) {
        for (let x = first; x < second; x++) out[to + x] += cumulative[b - x + reach] - cumulative[a - x + reach]
      } else {
        for (let x = first; x < second; x++) out[to + x] += 1
      }
      for (let x = second; x < stop; x++) out[to + x] += cumulative[b - x + reach]
      from = Math.min(from, start)
      until = Math.max(until, stop)
      a = b
    }
    extents.push({ from: (Math.max(0, from - low) >> 3) << 3, until: roundUp(Math.max(0, until - low), 8) })
  }
  return extents
}

/** For every four rows of the box: the source rows that reach them and the weights, [band][4] in memory. */
function bandsOf(weights: AxisWeights, box: Box, source: Box, axis: number, arena: Arena) {
  const bands: { weightsAt: number; from: number; to: number; band: number }[] = []
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
    bands.push({ weightsAt: arena.store(table), from: from - start, to, band: until - from })
  }
  return bands
}
