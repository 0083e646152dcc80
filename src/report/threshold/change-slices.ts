import type { Grid } from '../../volume/grid.ts'
import type { LabelArray } from '../../volume/labels.ts'
import { type FlatSlice, greyLayer, sliceThrough, sliceValues, whereText } from '../kit/flat-slice.ts'
import type { Picture } from '../kit/html.ts'
import { contourColours } from '../kit/palette.ts'
import { cropPlane, planePixels } from '../kit/plane.ts'
import { type Layer, type SlicePanel, slicePicture } from '../kit/slices.ts'

/** A mask as it is cut, for a picture. */
export interface DrawnCut {
  readonly case: string
  readonly class: string
  readonly threshold: number
  /** How much the mask changed from the cut at ½, 0 … 1. */
  readonly change: number
}

/** One slice of a map, kept without the rest of the image. */
export interface ChangeSlice extends DrawnCut {
  readonly slice: FlatSlice
  /** Whether the image says where the patient's sides are and how long a millimetre is. */
  readonly located: boolean
  readonly probabilities: Float32Array
  readonly reference: Uint8Array | undefined
  /** The image's values on the slice, where there is an image. */
  readonly image: Float32Array | undefined
}

/** The slice on which the cut at ½ and the cut at the threshold differ most; where they do not, the mask's largest. */
export function changeSlice({
  grid,
  map,
  reference,
  labels,
  ...rest
}: DrawnCut & {
  readonly located: boolean
  readonly grid: Grid
  readonly map: Float32Array
  readonly reference?: LabelArray | undefined
  readonly labels: readonly number[]
}): ChangeSlice {
  const { threshold } = rest
  let largest = 0
  for (let at = 0; at < map.length; at++) if (map[at] > largest) largest = map[at]
  const whole = sliceThrough(
    grid,
    (at) => map[at] >= threshold !== map[at] >= 0.5,
    (at) => map[at] >= threshold,
    (at) => map[at] >= largest / 2,
  )
  const voxels = whole.grid.shape[0] * whole.grid.shape[1] * whole.grid.shape[2]
  const probabilities = sliceValues(whole, grid.shape, (at) => map[at], new Float32Array(voxels))
  const inside =
    reference && sliceValues(whole, grid.shape, (at) => Number(labels.includes(reference[at])), new Uint8Array(voxels))
  const seen = (at: number) => probabilities[at] >= Math.min(0.1, threshold / 2) || inside?.[at] === 1
  const slice = { ...whole, plane: cropPlane(whole.grid, whole.plane, seen, 8) }
  return { ...rest, slice, probabilities, reference: inside, image: undefined }
}

/**
 * The slice as a panel: the image or else the probabilities, both cuts, and the reference.
 *
 * @param isOptimal whether the threshold is t*
 */
export function changePanel(
  { slice, located, threshold, probabilities, reference, image }: ChangeSlice,
  isOptimal: boolean,
): SlicePanel {
  const { grid, plane } = slice
  const cut = { kind: 'contour', values: probabilities } as const
  const layers: Layer[] = [
    image === undefined
      ? { kind: 'heat', values: probabilities }
      : greyLayer(image, planePixels(grid, plane, (at) => image[at]).values),
    { ...cut, level: 0.5, colour: contourColours[0], dash: '4 2', label: 'cut at ½' },
    { ...cut, level: threshold, colour: contourColours[1], label: isOptimal ? 'cut at t*' : 'cut here' },
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
  return { marked: located, grid, plane, layers }
}

/** The slice as a picture of a gallery. */
export function changePicture(drawn: ChangeSlice, isOptimal: boolean): Picture {
  const where = whereText(drawn.slice, drawn.located)
  const cut = isOptimal ? 't* =' : 'cut at'
  const over = drawn.image === undefined ? 'the probabilities' : 'the image'
  const outlines = drawn.reference
    ? `the cuts at one half and ${isOptimal ? 'at t*' : 'here'} and of the reference`
    : `the cuts at one half and ${isOptimal ? 't*' : 'here'}`
  return {
    svg: slicePicture(
      changePanel(drawn, isOptimal),
      `${drawn.case}, ${drawn.class}: ${where}, outlines of ${outlines} over ${over}`,
    ),
    title: `${drawn.case}, ${drawn.class}`,
    note: `${where}, ${cut} ${drawn.threshold.toFixed(2)}, ${Math.round(100 * drawn.change)}\u00a0% changed`,
  }
}
