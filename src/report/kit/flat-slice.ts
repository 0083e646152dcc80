import { type Grid, type Vec3, vec3, worldPosition } from '../../volume/grid.ts'
import { acquisitionView, largestSlice, type Plane, type View } from './plane.ts'
import type { Layer } from './slices.ts'

/** One slice of an image on its own: a picture of it needs nothing of the rest. */
export interface FlatSlice {
  /** A grid of one slice, where it lies in space. */
  readonly grid: Grid
  /** The slice in its own grid. */
  readonly plane: Plane
  readonly view: View
  /** Index of the slice in the whole image, from 0, and how many it has. */
  readonly index: number
  readonly count: number
}

/** The slice, in the planes that were acquired, with the most voxels of the first of `inside` that holds anywhere. */
export function sliceThrough(grid: Grid, ...inside: readonly ((at: number) => boolean)[]): FlatSlice {
  const view = acquisitionView(grid)
  const planes = inside.map((holds) => {
    let found = false
    const plane = largestSlice(grid, view, (at) => {
      const here = holds(at)
      found ||= here
      return here
    })
    return { plane, found }
  })
  const { plane } = planes.find(({ found }) => found) ?? planes[planes.length - 1]
  const { axis, index } = plane
  const first = vec3((a) => (a === axis ? index : 0))
  return {
    grid: { ...grid, shape: vec3((a) => (a === axis ? 1 : grid.shape[a])), origin: worldPosition(grid, first) },
    plane: { ...plane, index: 0 },
    view,
    index,
    count: grid.shape[axis],
  }
}

/** What `of` says of each voxel of the slice, in the order of the slice's grid; `whole` is the shape of the image. */
export function sliceValues<A extends Float32Array | Uint8Array>(
  { grid: { shape }, plane: { axis }, index }: FlatSlice,
  whole: Vec3,
  of: (at: number) => number,
  into: A,
): A {
  const first = vec3((a) => (a === axis ? index : 0))
  for (let k = 0, to = 0; k < shape[2]; k++) {
    for (let j = 0; j < shape[1]; j++) {
      const row = ((first[2] + k) * whole[1] + first[1] + j) * whole[0] + first[0]
      for (let i = 0; i < shape[0]; i++, to++) into[to] = of(row + i)
    }
  }
  return into
}

/** `axial slice 12 of 40`; without the plane's name where nothing says how the patient lies in the image. */
export function whereText({ view, index, count }: FlatSlice, located: boolean): string {
  const number = `slice ${index + 1} of ${count}`
  return located ? `${view} ${number}` : number
}

/** An image as grey levels, from the 2nd to the 98th percentile of what is shown. What is no number is black. */
export function greyLayer(values: Float32Array, shown: readonly number[] | Float32Array = values): Layer {
  const sorted = Float32Array.from(shown)
    .filter((value) => Number.isFinite(value))
    .sort()
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0
  const [low, high] = [at(0.02), at(0.98)]
  return { kind: 'grey', values, window: low < high ? [low, high] : [low, low + 1] }
}
