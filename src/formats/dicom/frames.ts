import { InputError } from '../../volume/errors.ts'
import type { Vec3 } from '../../volume/grid.ts'
import type { Keyword } from './attributes.ts'
import type { DataSet } from './data-set.ts'
import { type PixelLayout, pixelLayout } from './image.ts'
import type { DicomFile } from './part10.ts'

/** One plane of pixels: a slice that is a file, or a frame of a file. */
export interface Frame {
  readonly file: DicomFile
  readonly layout: PixelLayout
  /** Which frame of the file. */
  readonly index: number
  /** Centre of the first pixel (LPS, mm); absent where the file does not say. */
  readonly position?: Vec3
  /** Direction of a row, then of a column (LPS). */
  readonly orientation?: readonly number[]
  /** Between rows, then between columns (mm). */
  readonly pixelSpacing?: readonly number[]
  readonly sliceThickness?: number
  readonly spacingBetweenSlices?: number
  readonly slope: number
  readonly intercept: number
  /** The functional groups that describe the frame, or the data set itself where it has none; the nearest first. */
  readonly groups: readonly DataSet[]
}

/**
 * The frames of a file. A file with functional groups (enhanced images, segmentations) describes each frame in its
 * per-frame group or in the shared one (DICOM PS3.3, C.7.6.16); any other describes its one frame in the data set.
 *
 * @throws InputError where a group is missing, or several frames have no groups to say where each lies
 */
export function framesOf(file: DicomFile): Frame[] {
  const { dataSet, subject } = file
  const layout = pixelLayout(file)
  const shared = dataSet.items('SharedFunctionalGroupsSequence').slice(0, 1)
  const perFrame = dataSet.items('PerFrameFunctionalGroupsSequence')
  if (perFrame.length === 0 && shared.length === 0) {
    if (layout.frames > 1) {
      throw new InputError(
        subject,
        `has ${layout.frames} frames and does not say where each lies; convert it to NIfTI, or give one file a slice`,
      )
    }
    return [frameOf(file, layout, 0, [dataSet], false)]
  }
  if (perFrame.length !== layout.frames) {
    throw new InputError(subject, `describes ${perFrame.length} of its ${layout.frames} frames; export it again`)
  }
  return perFrame.map((group, index) => frameOf(file, layout, index, [group, ...shared], true))
}

function frameOf(
  file: DicomFile,
  layout: PixelLayout,
  index: number,
  groups: readonly DataSet[],
  grouped: boolean,
): Frame {
  const place = (sequence: Keyword) => (grouped ? groupItem(groups, sequence) : groups[0])
  const position = place('PlanePositionSequence')?.numbers('ImagePositionPatient', 3)
  const orientation = place('PlaneOrientationSequence')?.numbers('ImageOrientationPatient', 6)
  const measures = place('PixelMeasuresSequence')
  const values = place('PixelValueTransformationSequence')
  const pixelSpacing = measures?.numbers('PixelSpacing', 2) ?? groups[0].numbers('ImagerPixelSpacing', 2)
  if (pixelSpacing && !(Math.min(...pixelSpacing) > 0)) {
    throw new InputError(file.subject, `has a PixelSpacing of ${pixelSpacing.join(', ')} mm; export it again`)
  }
  const [slope, intercept] = [values?.number('RescaleSlope'), values?.number('RescaleIntercept')]
  // The standard has them in pairs (PS3.3, C.11.1); one alone is what damage to the other leaves.
  if (slope === 0 || (slope === undefined) !== (intercept === undefined)) {
    const pair = `a RescaleSlope of ${slope ?? '(none)'} and a RescaleIntercept of ${intercept ?? '(none)'}`
    throw new InputError(file.subject, `has ${pair}; export it again`)
  }
  return {
    file,
    layout,
    index,
    ...(position && { position: [position[0], position[1], position[2]] as const }),
    ...(orientation && { orientation }),
    ...(pixelSpacing && { pixelSpacing }),
    ...positive('sliceThickness', measures?.number('SliceThickness')),
    ...positive('spacingBetweenSlices', measures?.number('SpacingBetweenSlices')),
    slope: slope ?? 1,
    intercept: intercept ?? 0,
    groups,
  }
}

/** The item of a functional group, from the frame's own groups or from the shared ones. */
export function groupItem(groups: readonly DataSet[], sequence: Keyword): DataSet | undefined {
  for (const group of groups) {
    const items = group.items(sequence)
    if (items.length > 0) return items[0]
  }
  return undefined
}

function positive<K extends string>(key: K, value: number | undefined): { [P in K]?: number } {
  // Writers without a value put 0; some put a negative step for slices in descending order.
  return value ? ({ [key]: Math.abs(value) } as { [P in K]?: number }) : {}
}
