import type { Grid } from '../../volume/grid.ts'
import { text } from './chart.ts'
import { element } from './markup.ts'
import type { Plane } from './plane.ts'

/** Where the patient's sides lie on a slice: R, L, A, P, S or I at each edge of the screen. */
export interface Edges {
  readonly left: string
  readonly right: string
  readonly top: string
  readonly bottom: string
}

/** The letters of a world axis of RAS+, towards its negative and its positive end. */
const letters = [
  ['L', 'R'],
  ['P', 'A'],
  ['I', 'S'],
] as const

/**
 * The letters at the edges of a plane. Where voxel axes are oblique, that of the nearest world axis.
 *
 * @example
 * const grid = createGrid([8, 8, 8])
 * edgeLetters(grid, viewPlane(grid, 'axial', 0)) // { left: 'R', right: 'L', top: 'A', bottom: 'P' }
 */
export function edgeLetters({ direction }: Grid, { across, down }: Plane): Edges {
  /** The letters at the ends where a voxel axis begins and ends on the screen. */
  const ends = ({ axis, flip }: Plane['across']): readonly [string, string] => {
    const steps = [0, 1, 2].map((world) => direction[3 * world + axis])
    const world = steps.reduce((best, step, w) => (Math.abs(step) > Math.abs(steps[best]) ? w : best), 0)
    const [low, high] = letters[world]
    return steps[world] > 0 !== flip ? [low, high] : [high, low]
  }
  const [left, right] = ends(across)
  const [top, bottom] = ends(down)
  return { left, right, top, bottom }
}

/** The longest round length, in mm, that takes at most a third of a width. */
export function scaleBarMm(widthMm: number): number {
  const decade = 10 ** Math.floor(Math.log10(widthMm / 3))
  return [5, 2, 1].map((n) => n * decade).find((length) => length <= widthMm / 3) ?? decade
}

/** A round length as people write it: micrometres where it is under a tenth of a millimetre. */
const lengthText = (mm: number): string => (mm < 0.1 ? `${Number((1000 * mm).toPrecision(3))} µm` : `${mm} mm`)

/** Letters at the edges and a bar of known length, drawn over a slice that lies at `x`, `y` on the page. */
export function sliceMarks(
  edges: Edges,
  place: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  pixelsPerMm: number,
  fontPx = 11,
): string {
  const { x, y, width, height } = place
  // White with a dark rim: read on dark and bright ground.
  const style = { fill: '#fff', stroke: '#000', 'stroke-width': 2.5, 'paint-order': 'stroke', 'font-size': fontPx }
  const letter = (at: number, down: number, content: string): string =>
    text(at, down, content, { ...style, 'text-anchor': 'middle' })
  const length = scaleBarMm(width / pixelsPerMm)
  const [from, level] = [x + 6, y + height - 6]
  const bar = (colour: string, stroke: number): string =>
    element('line', {
      x1: from,
      x2: from + length * pixelsPerMm,
      y1: level,
      y2: level,
      stroke: colour,
      'stroke-width': stroke,
    })
  return [
    letter(x + 0.75 * fontPx, y + height / 2 + 0.36 * fontPx, edges.left),
    letter(x + width - 0.75 * fontPx, y + height / 2 + 0.36 * fontPx, edges.right),
    letter(x + width / 2, y + 1.1 * fontPx, edges.top),
    letter(x + width / 2, y + height - 5, edges.bottom),
    bar('#000', 5),
    bar('#fff', 2.5),
    text(from, level - 5, lengthText(length), style),
  ].join('')
}
