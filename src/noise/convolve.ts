import { normalCdf } from '../kernels/normal-cdf.ts'
import { Arena, instantiate } from '../kernels/wasm/arena.ts'
import { wasmBase64 } from '../kernels/wasm/generated/marginal.ts'
import { type Box, growBox } from '../volume/box.ts'
import type { Grid, Vec3 } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'

/** The box outside which a map is 0, and that of the voxels it can reach. */
export interface Part {
  readonly source: Box
  readonly box: Box
}

/** What a map within the box `source` becomes part of. */
export function partOf(source: Box, grid: Grid, sigmaMm: Vec3): Part {
  const reach = sigmaMm.map((s, axis) => (grid.shape[axis] > 1 ? Math.ceil((tail * s) / grid.spacing[axis]) : 0))
  return { source, box: growBox(source, [reach[0], reach[1], reach[2]], grid) }
}

/** Plane z of a map convolved along i: its rows go to `out`, `rowFloats` apart, from element `at`. */
export type Rows = (
  weights: AxisWeights,
  part: Part,
  z: number,
  out: Float32Array,
  at: number,
  rowFloats: number,
) => Extent[]

/**
 * A map convolved with the distribution of the displacement: three passes, along i by `rowsOf`, then along j and k as
 * banded matrices. Planes are made as they are needed and dropped as soon as no later one reaches back to them, so the
 * working memory is a few σ of planes.
 *
 * @param out zeros of shape `outShape`; the box's first voxel goes to `at`
 */
export function convolve(
  rowsOf: Rows,
  grid: Grid,
  sigmaMm: Vec3,
  part: Part,
  out: Float32Array,
  outShape: Vec3,
  at: Vec3,
): void {
  const { source, box } = part
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
    const rowExtents = rowsOf(weights[0], part, z, floats, alongX / 4, rowBytes / 4)
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

/** A mask (0 and 1) convolved as if by noise of strength σ. */
export function smoothed(mask: Uint8Array, grid: Grid, sigmaMm: Vec3): Float32Array {
  const out = new Float32Array(mask.length)
  const part = partOf({ start: [0, 0, 0], shape: grid.shape }, grid, sigmaMm)
  convolve(maskRows(mask, grid.shape, 1), grid, sigmaMm, part, out, grid.shape, [0, 0, 0])
  return out
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
export interface Extent {
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
export interface AxisWeights {
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
 * The rows of one class's mask. A run of the class adds the difference of the cumulative function at its ends, so only
 * the neighbourhoods of the ends need a table.
 */
export function maskRows(labels: LabelArray, [gx, gy]: Vec3, label: number): Rows {
  return ({ cumulative, reach, extent }, { source, box }, z, out, at, rowFloats) => {
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
        // C(b − 1 − x) is 1 before `settled`, C(a − 1 − x) is 0 from `cleared` on; in double, differences are never
        // below 0.
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
}

/** The rows of a map of shares in [0, 1], given over the box `source` of its part, i fastest. */
export function shareRows(shares: Float32Array): Rows {
  return (weights, { source, box }, z, out, at, rowFloats) => {
    const { reach, extent } = weights
    const [low, begin] = [box.start[0], source.start[0]]
    const [n, rows] = source.shape
    const high = low + box.shape[0]
    out.fill(0, at, at + rowFloats * rows)
    // Voxel x ends in v, n = v − x away, with this probability, unless v is an edge.
    const away = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => {
      return weights.cumulative[i + 1] - weights.cumulative[i]
    })
    for (let y = 0; y < rows; y++) {
      const from = (z * rows + y) * n
      const to = at + rowFloats * y - low
      for (let i = 0; i < n; i++) {
        const share = shares[from + i]
        if (share === 0) continue
        const v = begin + i
        const edge = v === 0 || v === extent - 1
        // An edge voxel stands for all beyond it, which reaches no farther into the grid than it does.
        const [first, last] = [Math.max(low, v - reach), Math.min(high - 1, v + reach)]
        if (!edge) for (let x = first; x <= last; x++) out[to + x] += share * away[v - x + reach]
        else {
          for (let x = first; x <= last; x++) {
            out[to + x] += share * (cumulativeAt(weights, x, v) - cumulativeAt(weights, x, v - 1))
          }
        }
      }
    }
    return Array.from({ length: rows }, () => ({ from: 0, until: roundUp(box.shape[0], 8) }))
  }
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
