import { type Grid, voxelCount } from '../../volume/grid.ts'
import type { LabelArray } from '../../volume/labels.ts'
import { type FlatSlice, greyLayer, sliceThrough, sliceValues, whereText } from '../kit/flat-slice.ts'
import type { Picture } from '../kit/html.ts'
import { contourColour } from '../kit/palette.ts'
import { cropPlane, planePixels } from '../kit/plane.ts'
import { type SlicePanel, slicePicture } from '../kit/slices.ts'

/** One slice of a case with the masks of its annotators, kept without the rest. */
export interface AnnotatorSlice {
  readonly slice: FlatSlice
  readonly masks: readonly { readonly annotator: string; readonly values: Uint8Array }[]
  /** The image's values on the slice, where there is an image. */
  readonly image?: Float32Array | undefined
}

/** Ground around the masks: enough to see what they lie in. */
const marginMm = 15

/** The slice with the most voxels on which annotators differ; where they do not, the one with the most of the label. */
export function annotatorSlice(
  maps: readonly LabelArray[],
  annotators: readonly string[],
  grid: Grid,
  label: number,
): AnnotatorSlice {
  const differ = (at: number) => maps.some((map) => (map[at] === label) !== (maps[0][at] === label))
  const whole = sliceThrough(grid, differ, (at) => maps[0][at] === label)
  const masks = maps.map((map, r) => ({
    annotator: annotators[r],
    values: sliceValues(whole, grid.shape, (at) => Number(map[at] === label), new Uint8Array(voxelCount(whole.grid))),
  }))
  const seen = (at: number) => masks.some(({ values }) => values[at] > 0)
  return { slice: { ...whole, plane: cropPlane(whole.grid, whole.plane, seen, marginMm) }, masks }
}

/** The slice as a panel: the image, or the share of annotators in grey, under their outlines. */
export function annotatorPanel({ slice, masks, image }: AnnotatorSlice): SlicePanel {
  const { grid, plane } = slice
  const share = Float32Array.from(masks[0].values, (_, at) => masks.reduce((sum, { values }) => sum + values[at], 0))
  const ground = image
    ? greyLayer(image, planePixels(grid, plane, (at) => image[at]).values)
    : ({ kind: 'grey', values: share, window: [0, 1.6 * masks.length] } as const)
  return {
    marked: true,
    grid,
    plane,
    layers: [
      ground,
      ...masks.map(({ annotator, values }, r) => ({
        kind: 'contour' as const,
        values,
        level: 0.5,
        colour: contourColour(r),
        label: annotator,
        ...(r % 2 === 1 && { dash: '6 2.5' }),
      })),
    ],
  }
}

/** The slice as a picture of a gallery. */
export function annotatorPicture(drawn: AnnotatorSlice, title: string, note: string): Picture {
  const where = whereText(drawn.slice, true)
  const names = drawn.masks.map(({ annotator }) => annotator).join(', ')
  const alt = `${title}: ${where}, outlines of ${names}; ${note}`
  return { svg: slicePicture(annotatorPanel(drawn), alt), title, note: `${note}; ${where}` }
}
