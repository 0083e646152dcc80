import type { Grid } from '../../volume/grid.ts'
import { voxelCount } from '../../volume/grid.ts'
import { type FlatSlice, greyLayer, sliceThrough, sliceValues, whereText } from '../kit/flat-slice.ts'
import type { Picture } from '../kit/html.ts'
import { contourColours } from '../kit/palette.ts'
import { cropPlane, planePixels } from '../kit/plane.ts'
import { type Layer, type SlicePanel, slicePicture } from '../kit/slices.ts'

/** The masks of one label of a case, one number a voxel: inside where it is positive. */
export interface CaseMasks {
  readonly grid: Grid
  readonly prediction: ArrayLike<number>
  readonly reference: ArrayLike<number>
  /** The prediction that it is compared with. */
  readonly other?: ArrayLike<number> | undefined
}

/** One slice of masks, kept without the rest. */
export interface ErrorSlice {
  readonly slice: FlatSlice
  readonly prediction: Uint8Array
  readonly reference: Uint8Array
  readonly other: Uint8Array | undefined
  /** The image's values on the slice, where there is an image. */
  readonly image: Float32Array | undefined
}

/** What the outlines are called. */
export interface OutlineNames {
  readonly prediction: string
  readonly other?: string | undefined
}

/** Ground around the masks: enough to see what they lie in. */
const marginMm = 15

/**
 * The slice with the most voxels in which prediction and reference differ; where two predictions are compared, in which
 * these do. Where nothing differs, the slice with the most of the masks.
 */
export function errorSlice({ grid, prediction, reference, other }: CaseMasks): ErrorSlice {
  const against = other ?? reference
  const anywhere = (at: number): boolean => prediction[at] > 0 || reference[at] > 0 || (other?.[at] ?? 0) > 0
  const whole = sliceThrough(grid, (at) => prediction[at] > 0 !== against[at] > 0, anywhere)
  const cut = (mask: ArrayLike<number>): Uint8Array =>
    sliceValues(whole, grid.shape, (at) => Number(mask[at] > 0), new Uint8Array(voxelCount(whole.grid)))
  const [p, r, o] = [cut(prediction), cut(reference), other && cut(other)]
  const seen = (at: number): boolean => p[at] + r[at] + (o?.[at] ?? 0) > 0
  const slice = { ...whole, plane: cropPlane(whole.grid, whole.plane, seen, marginMm) }
  return { slice, prediction: p, reference: r, other: o, image: undefined }
}

/** The slice as a panel: the image, or the reference as a grey area, under the outlines of the masks. */
export function errorPanel(drawn: ErrorSlice, names: OutlineNames): SlicePanel {
  const { slice, prediction, reference, other, image } = drawn
  const { grid, plane } = slice
  const outline = (values: Uint8Array, colour: number, label: string, dash?: string): Layer => ({
    kind: 'contour',
    values,
    level: 0.5,
    colour: contourColours[colour],
    label,
    ...(dash !== undefined && { dash }),
  })
  const ground: Layer =
    image === undefined
      ? { kind: 'fill', inside: (at) => reference[at] > 0, colour: '#cfcfcf' }
      : greyLayer(image, planePixels(grid, plane, (at) => image[at]).values)
  return {
    marked: true,
    grid,
    plane,
    layers: [
      ground,
      outline(reference, 1, 'reference'),
      ...(other ? [outline(other, 2, names.other ?? 'the other', '2 2')] : []),
      outline(prediction, 0, names.prediction, '6 2.5'),
    ],
  }
}

/** The slice as a picture of a gallery. */
export function errorPicture(drawn: ErrorSlice, title: string, note: string, names: OutlineNames): Picture {
  const where = whereText(drawn.slice, true)
  const outlines = ['the reference', names.prediction, ...(drawn.other ? [names.other ?? 'the other'] : [])]
  const over = drawn.image === undefined ? '' : ' over the image'
  const alt = `${title}: ${where}, outlines of ${outlines.join(' and ')}${over}; ${note}`
  return { svg: slicePicture(errorPanel(drawn, names), alt), title, note: `${note}; ${where}` }
}
