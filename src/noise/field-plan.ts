import type { Box } from '../volume/box.ts'
import type { Grid } from '../volume/grid.ts'
import { type AxisFilter, designAxis } from './axis.ts'
import { type BlockTable, blockSize } from './blocks.ts'
import type { NoiseModel } from './model.ts'
import { isEmpty, readInFours, type Spans, union, widen } from './spans.ts'

/** Where lattice and box meet along an axis. */
export interface AxisPlan extends AxisFilter {
  /** Lattice index of the first coefficient, and how many the box needs. */
  readonly firstKnot: number
  readonly knots: number
}

/** What is wanted of a plane of white noise: of its rows filtered along x and y, and filtered along x alone. */
export interface NoiseSpans {
  readonly filtered: Spans
  readonly fours: Spans
}

/**
 * What is to be made of the field over a box: everything that seed and sample do not change. Coefficients, rows and
 * planes are counted from the first that the box needs.
 */
export interface FieldPlan {
  readonly axes: readonly [AxisPlan, AxisPlan, AxisPlan]
  /** Components that move anything: not those along an axis of one voxel, or of strength 0. */
  readonly components: readonly number[]
  /** Floats of a row of coefficients. */
  readonly rowFloats: number
  /** Coefficients that a block of 8 voxels along x needs. */
  readonly matrixTaps: number
  /** One matrix a block along x, matrixTaps × 8, from coefficients to voxels. */
  readonly matrices: Float32Array
  /** Of every block, the first four voxels need no coefficient from this on … */
  readonly firstTaps: number
  /** … and the others none before this. */
  readonly lastTap: number
  /** Upper bound of |Uᵢ| / max |coefficients along x|, over the box. */
  readonly hullFactor: number
  /** Per slab and block row: the first column that its blocks need, and the first behind. */
  readonly columns: readonly (readonly (readonly [from: number, until: number])[])[]
  /** Per slab: what is wanted of its voxel planes, by rows of coefficients. */
  readonly slabs: readonly Spans[]
  /** Per batch of planes of coefficients. */
  readonly batches: readonly Spans[]
  /** Per plane of white noise; undefined where nothing is wanted. */
  readonly noise: readonly (NoiseSpans | undefined)[]
  /** All spans above, each once. */
  readonly spans: ReadonlySet<Spans>
}

/** Planes of coefficients that are made at once: the filter along z reads nearly the same for each. */
export const batchSize = 4

/** Plans the field where the blocks of a table need it. */
export function planField(grid: Grid, noise: NoiseModel, box: Box, blocks: BlockTable): FieldPlan {
  const plan = (axis: number): AxisPlan => {
    const filter = designAxis(grid.shape[axis], noise.lengthMm / grid.spacing[axis])
    const firstKnot = knotOf(filter, box.start[axis])
    const knots = knotOf(filter, box.start[axis] + box.shape[axis] - 1) + filter.support - firstKnot
    return { ...filter, firstKnot, knots }
  }
  const axes = [plan(0), plan(1), plan(2)] as const
  const [x] = axes
  const matrixTaps = x.support + (x.stride === 1 ? blockSize - 1 : Math.ceil((blockSize - 1) / x.stride))
  const columnOf = (voxel: number) => columnsBefore(x, box.start[0], voxel)
  // The last block's matrix may read past the last knot; those weights are zero but the memory must be there.
  const lastBlock = Math.floor((box.shape[0] - 1) / blockSize) * blockSize
  const rowFloats = roundUp(columnOf(lastBlock) + matrixTaps, 4)
  const columns = blocks.map((rows) =>
    rows.map((row) => {
      if (row.length === 0) return [0, 0] as const
      const from = Math.floor(columnOf(row[0].x) / 4) * 4
      return [from, roundUp(columnOf(row[row.length - 1].x) + matrixTaps, 4)] as const
    }),
  )
  const slabs = columns.map((rows) => slabSpans(rows, axes[1], box))
  const { batches, noise: noiseSpans } = planeSpans(slabs, axes, box)
  const ofNoise = noiseSpans.flatMap((plane) => (plane ? [plane.filtered, plane.fours] : []))
  return {
    axes,
    components: [0, 1, 2].filter((c) => grid.shape[c] > 1 && noise.sigmaMm[c] > 0),
    rowFloats,
    matrixTaps,
    ...expansion(x, box, matrixTaps),
    columns,
    slabs,
    batches,
    noise: noiseSpans,
    spans: new Set([...slabs, ...batches, ...ofNoise]),
  }
}

/** Lattice index of the first coefficient that a voxel needs. */
export function knotOf(axis: AxisFilter, voxel: number): number {
  return Math.floor(voxel / axis.stride) + axis.offset
}

/** Index of the first coefficient that a voxel of a box needs, counted from the first that the box needs. */
export function columnsBefore(axis: AxisFilter, start: number, voxel: number): number {
  return knotOf(axis, start + voxel) - knotOf(axis, start)
}

/** The coefficients that the voxels from … until − 1 of a box need along an axis: the first, and the first behind. */
export function knotsOf(axis: AxisFilter, start: number, from: number, until: number): readonly [number, number] {
  return [columnsBefore(axis, start, from), columnsBefore(axis, start, until - 1) + axis.support]
}

function slabSpans(rows: FieldPlan['columns'][number], y: AxisPlan, { start, shape }: Box): Spans {
  const spans = new Uint32Array(2 * y.knots)
  for (const [r, [from, until]] of rows.entries()) {
    const [first, behind] = knotsOf(y, start[1], r * blockSize, Math.min(shape[1], (r + 1) * blockSize))
    for (let row = first; row < behind; row++) widen(spans, row, from, until)
  }
  return spans
}

/** What the slabs want of the planes of coefficients, in batches, and of white noise. */
function planeSpans(slabs: readonly Spans[], [, y, z]: FieldPlan['axes'], { start, shape }: Box) {
  const knots = slabs.map((_, s) => knotsOf(z, start[2], s * blockSize, Math.min(shape[2], (s + 1) * blockSize)))
  // Neighbouring planes serve the same slabs.
  const known = new Map<number, { readonly filtered: Spans; readonly fours: Spans }>()
  const serving = (first: number, last: number) => {
    const from = knots.findIndex(([, behind]) => behind > first)
    const until = knots.findLastIndex(([begin]) => begin <= last) + 1
    const key = from * (slabs.length + 1) + until
    const found = known.get(key)
    if (found) return found
    const filtered = union(slabs.slice(from, until))
    const spans = { filtered, fours: readInFours(filtered, y.taps.length) }
    known.set(key, spans)
    return spans
  }
  // Where the lattice is the voxel grid, voxel planes are made at once.
  const batches = Array.from({ length: z.support === 1 ? 0 : Math.ceil(z.knots / batchSize) }, (_, b) => {
    return serving(b * batchSize, Math.min(z.knots, (b + 1) * batchSize) - 1).filtered
  })
  // A batch filters more, but what a plane of it is not wanted for is never read.
  const noise = Array.from({ length: z.knots + 2 * z.radius }, (_, plane) => {
    const first = Math.max(0, plane - 2 * z.radius)
    const last = Math.min(z.knots - 1, plane)
    const spans = serving(first, last)
    return isEmpty(spans.filtered) ? undefined : spans
  })
  return { batches, noise }
}

/** The matrices from coefficients to voxels along x, and the hull factor. */
function expansion(axis: AxisPlan, { start, shape }: Box, matrixTaps: number) {
  const blocks = Math.ceil(shape[0] / blockSize)
  const matrices = new Float32Array(blocks * matrixTaps * blockSize)
  let hullFactor = 0
  let firstTaps = 0
  let lastTap = matrixTaps
  for (let x = 0; x < shape[0]; x++) {
    const voxel = start[0] + x
    const block = Math.floor(x / blockSize)
    const shift = knotOf(axis, voxel) - knotOf(axis, start[0] + block * blockSize)
    if (x % blockSize < blockSize / 2) firstTaps = Math.max(firstTaps, shift + axis.support)
    else lastTap = Math.min(lastTap, shift)
    let sum = 0
    for (let t = 0; t < axis.support; t++) {
      const weight = axis.weights[voxel * axis.support + t]
      matrices[(block * matrixTaps + shift + t) * blockSize + (x % blockSize)] = weight
      sum += Math.abs(weight)
    }
    hullFactor = Math.max(hullFactor, sum)
  }
  // float32 sums may exceed the bound by round-off.
  return { matrices, firstTaps, lastTap: Math.min(firstTaps, lastTap), hullFactor: hullFactor * 1.00001 }
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}
