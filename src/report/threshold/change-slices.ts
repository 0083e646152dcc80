import { type Grid, vec3 } from '../../volume/grid.ts'
import type { LabelArray } from '../../volume/labels.ts'
import { contourColours } from '../kit/palette.ts'
import { acquisitionView, cropPlane, largestSlice, type Plane } from '../kit/plane.ts'
import type { Layer, SlicePanel } from '../kit/slices.ts'

/** One slice of a map, kept without the rest of the image. */
export interface ChangeSlice {
  readonly title: string
  /** How much the mask changed, 0 … 1. */
  readonly change: number
  readonly threshold: number
  /** Which slice of the image it is: `axial slice 12 of 40`. */
  readonly where: string
  /** Whether the image says where the patient's sides are and how long a millimetre is. */
  readonly located: boolean
  /** A grid of one slice, and what lies on it. */
  readonly grid: Grid
  readonly plane: Plane
  readonly probabilities: Float32Array
  readonly reference: Uint8Array | undefined
}

/** Keeps the slices of the masks that changed most, at most `count`. */
export class ChangeSlices {
  readonly #count: number
  #slices: ChangeSlice[] = []

  constructor(count: number) {
    this.#count = count
  }

  /** Whether a change would be among those kept: only then is the slice worth finding. */
  wants(change: number): boolean {
    return change > 0 && (this.#slices.length < this.#count || change > (this.#slices.at(-1)?.change ?? 0))
  }

  add(slice: ChangeSlice): void {
    this.#slices = [...this.#slices, slice].sort((a, b) => b.change - a.change).slice(0, this.#count)
  }

  get slices(): readonly ChangeSlice[] {
    return this.#slices
  }
}

/** The slice on which the cut at ½ and the cut at the threshold differ most. */
export function changeSlice({
  grid,
  map,
  threshold,
  reference,
  labels,
  ...rest
}: {
  readonly title: string
  readonly change: number
  readonly located: boolean
  readonly grid: Grid
  readonly map: Float32Array
  readonly threshold: number
  readonly reference?: LabelArray | undefined
  readonly labels: readonly number[]
}): ChangeSlice {
  const changed = (at: number) => map[at] >= threshold !== map[at] >= 0.5
  const view = acquisitionView(grid)
  const whole = largestSlice(grid, view, changed)
  const { axis, index } = whole
  const shape = vec3((a) => (a === axis ? 1 : grid.shape[a]))
  const probabilities = new Float32Array(shape[0] * shape[1] * shape[2])
  const inside = reference && new Uint8Array(probabilities.length)
  const [nx, ny] = grid.shape
  let to = 0
  for (let k = 0; k < shape[2]; k++) {
    for (let j = 0; j < shape[1]; j++) {
      for (let i = 0; i < shape[0]; i++, to++) {
        const [x, y, z] = [i + (axis === 0 ? index : 0), j + (axis === 1 ? index : 0), k + (axis === 2 ? index : 0)]
        const from = (z * ny + y) * nx + x
        probabilities[to] = map[from]
        if (inside && reference) inside[to] = Number(labels.includes(reference[from]))
      }
    }
  }
  const number = `slice ${index + 1} of ${grid.shape[axis]}`
  const where = rest.located ? `${view} ${number}` : number
  const flat = { ...grid, shape }
  const seen = (at: number) => probabilities[at] >= Math.min(0.1, threshold / 2) || inside?.[at] === 1
  const plane = cropPlane(flat, { ...whole, index: 0 }, seen, 8)
  return { ...rest, where, threshold, grid: flat, plane, probabilities, reference: inside }
}

/** The slice as a panel: probabilities, both cuts, and the reference. */
export function changePanel({
  title,
  change,
  threshold,
  where,
  located,
  grid,
  plane,
  probabilities,
  reference,
}: ChangeSlice): SlicePanel {
  const layers: Layer[] = [
    { kind: 'heat', values: probabilities },
    { kind: 'contour', values: probabilities, level: 0.5, colour: contourColours[0], dash: '4 2', label: 'cut at ½' },
    { kind: 'contour', values: probabilities, level: threshold, colour: contourColours[3], label: 'cut at t*' },
  ]
  if (reference) {
    layers.push({
      kind: 'contour',
      values: reference,
      level: 0.5,
      colour: contourColours[4],
      width: 1,
      label: 'reference',
    })
  }
  return {
    title,
    note: `${where}, t* = ${threshold.toFixed(2)}, ${Math.round(100 * change)} % changed`,
    marked: located,
    grid,
    plane,
    layers,
  }
}
