import type { Plane } from '../../src/report/kit/plane.ts'
import type { Box } from '../../src/volume/box.ts'
import type { Grid } from '../../src/volume/grid.ts'
import type { VoxelArray } from '../../src/volume/volume.ts'
import { type Ring, ringsOf } from './edges.ts'
import type { Region } from './layers.ts'

/** Values on a part of a grid; beyond it they are 0. */
export interface Field {
  readonly data: VoxelArray
  readonly box: Box
}

export function wholeField(grid: Grid, data: VoxelArray): Field {
  return { data, box: { start: [0, 0, 0], shape: grid.shape } }
}

/** A slice's values as the screen has them, rows from the top. */
export interface Slice {
  readonly width: number
  readonly height: number
  readonly values: Float32Array
}

/** The values of a field on a plane that shows a whole slice of the grid. */
export function sliceOf(field: Field, grid: Grid, plane: Plane): Slice {
  const { across, down, axis, index } = plane
  const [width, height] = [grid.shape[across.axis], grid.shape[down.axis]]
  const values = new Float32Array(width * height)
  const { start, shape } = field.box
  const at = index - start[axis]
  if (at < 0 || at >= shape[axis]) return { width, height, values }
  const stride = [1, shape[0], shape[0] * shape[1]]
  const { data } = field
  for (let v = 0; v < shape[down.axis]; v++) {
    const down_ = v + start[down.axis]
    const row = down.flip ? height - 1 - down_ : down_
    let from = at * stride[axis] + v * stride[down.axis]
    const step = across.flip ? -1 : 1
    let to = row * width + (across.flip ? width - 1 - start[across.axis] : start[across.axis])
    for (let u = 0; u < shape[across.axis]; u++, from += stride[across.axis], to += step) values[to] = data[from]
  }
  return { width, height, values }
}

const mostRings = 8

interface KeptSlice {
  readonly slice: Slice
  readonly rings: Map<string, readonly Ring[]>
}

/** What was looked at last: a slider that moves asks for the same slices and outlines again and again. */
export class SliceCache {
  readonly #kept = new Map<Field, Map<string, KeptSlice>>()

  slice(field: Field, grid: Grid, plane: Plane): Slice {
    return this.#keep(field, grid, plane).slice
  }

  /** The outline of a region, as lines through corners of pixels. */
  rings({ field, inside, key }: Region, grid: Grid, plane: Plane): readonly Ring[] {
    const { slice, rings } = this.#keep(field, grid, plane)
    const { values, width, height } = slice
    const isInside = () => {
      const mask = new Uint8Array(values.length)
      for (let i = 0; i < mask.length; i++) if (inside(values[i])) mask[i] = 1
      return mask
    }
    const found = rings.get(key) ?? ringsOf(isInside(), width, height)
    // A cut that moves leaves one behind for each place.
    if (!rings.has(key) && rings.size >= mostRings) rings.clear()
    rings.set(key, found)
    return found
  }

  #keep(field: Field, grid: Grid, plane: Plane): KeptSlice {
    const own = this.#kept.get(field) ?? new Map<string, KeptSlice>()
    this.#kept.set(field, own)
    const key = `${plane.axis} ${plane.index}`
    const found = own.get(key) ?? { slice: sliceOf(field, grid, plane), rings: new Map() }
    if (!own.has(key) && own.size >= 6) own.clear()
    own.set(key, found)
    return found
  }

  /** Forgets fields that are shown no more. */
  keepOnly(fields: ReadonlySet<Field>): void {
    for (const field of this.#kept.keys()) if (!fields.has(field)) this.#kept.delete(field)
  }
}

let fields = 0
const numbers = new WeakMap<Field, number>()

/** Tells fields apart. */
export function keyOf(field: Field): number {
  const key = numbers.get(field) ?? fields++
  numbers.set(field, key)
  return key
}
