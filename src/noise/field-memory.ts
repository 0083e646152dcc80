import type { Arena } from '../kernels/wasm/arena.ts'
import type { Box } from '../volume/box.ts'
import { blockSize } from './blocks.ts'
import { batchSize, columnsBefore, type FieldPlan, roundUp } from './field-plan.ts'
import type { Spans } from './spans.ts'

/**
 * Room for three components of a few planes, row by row (assembly/lib/planes.ts says why): planes and rows whose
 * numbers agree modulo `planes` and `rows` share their place.
 */
export interface Ring {
  readonly at: number
  readonly planes: number
  readonly rows: number
  /** From row to row, all planes of one being between, and from component to component. */
  readonly rowBytes: number
  readonly bytes: number
}

/** Where the field of a plan lies in memory: addresses in bytes. */
export interface FieldMemory {
  /** One an axis. */
  readonly taps: readonly number[]
  readonly weights: readonly number[]
  readonly spans: ReadonlyMap<Spans, number>
  readonly matrices: number
  /** Four rows of white noise, and `filteredCount` rows of it filtered along x. */
  readonly noiseRows: number
  readonly filteredRows: number
  readonly filteredCount: number
  /** White noise filtered along x and y, planes of coefficients (none if they are the voxel planes), voxel planes. */
  readonly noise: Ring
  readonly knots: Ring
  readonly voxels: Ring
  /** Per voxel row of the box, where in their ring the rows of coefficients start that it is made of. */
  readonly rowPlaces: number
  /** Coefficients along x of the current block row: per component 8 rows of 8 planes. */
  readonly rows: number
  /** Their largest values, a row a component. */
  readonly columns: number
  /** Tables of the places in their rings' rows of planes that others are made of, and of those that are made. */
  readonly sources: number
  readonly targets: number
}

/** Lays the plan of a field out in an arena. */
export function layOut(arena: Arena, plan: FieldPlan, { start, shape }: Box): FieldMemory {
  const [x, y, z] = plan.axes
  const rowBytes = 4 * plan.rowFloats
  const ring = (planes: number, rows: number): Ring => {
    const bytes = planes * rows * rowBytes
    return { at: arena.reserve(3 * bytes), planes, rows, rowBytes: planes * rowBytes, bytes }
  }
  const together = z.support === 1 ? blockSize : batchSize
  // Batches may be ahead of what a slab needs.
  const knotPlanes = z.support + Math.ceil((blockSize - 1) / z.stride) + batchSize
  const voxels = ring(blockSize, y.support === 1 ? blockSize : y.support + Math.ceil((blockSize - 1) / y.stride) + 1)
  const rowPlaces = Uint32Array.from({ length: shape[1] * y.support }, (_, i) => {
    const row = columnsBefore(y, start[1], Math.floor(i / y.support)) + (i % y.support)
    return (row % voxels.rows) * voxels.rowBytes
  })
  const filteredCount = roundUp(Math.min(y.knots + 2 * y.radius, 2 * y.radius + 36), 4)
  return {
    // filterPlanes wants three taps at least.
    taps: plan.axes.map(({ taps }) => arena.store(Float32Array.of(...taps, 0, 0))),
    weights: plan.axes.map(({ weights }) => arena.store(weights)),
    spans: new Map(Array.from(plan.spans, (spans) => [spans, arena.store(spans)])),
    matrices: arena.store(plan.matrices),
    // Nodes come in groups of four, the first and the last of which may reach three nodes beyond; one more is read.
    noiseRows: arena.reserve(16 * (roundUp(plan.rowFloats + 2 * x.radius + 6, 4) + 4)),
    filteredRows: arena.reserve(filteredCount * rowBytes),
    filteredCount,
    noise: ring(Math.min(plan.noise.length, z.taps.length - 1 + together), y.knots),
    knots: ring(z.support === 1 ? 0 : knotPlanes, y.knots),
    voxels,
    rowPlaces: arena.store(rowPlaces),
    // Where the lattice is the voxel grid, voxel planes are these rows.
    rows: x.support === 1 && y.support === 1 ? voxels.at : arena.reserve(3 * blockSize * blockSize * rowBytes),
    columns: arena.reserve(3 * rowBytes),
    sources: arena.reserve(4 * Math.max(z.taps.length + 2 + blockSize, 6 * blockSize)),
    targets: arena.reserve(4 * blockSize),
  }
}
