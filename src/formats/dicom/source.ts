import { InputError } from '../../volume/errors.ts'
import type { Grid, Vec3 } from '../../volume/grid.ts'
import type { Keyword } from './attributes.ts'
import { textEncoding } from './charset.ts'
import type { DataSet } from './data-set.ts'
import { type Frame, groupItem } from './frames.ts'
import type { Stack } from './stack.ts'

/** An object that a segmentation refers to; of several frames, which one. */
export interface Reference {
  readonly sopClass: string
  readonly sopInstance: string
  readonly frame?: number
}

/** What a segmentation of DICOM images has to say of them: the `header` of volumes that were read from DICOM. */
export interface DicomSource {
  readonly format: 'dicom'
  /** The file or folder that was read, for messages. */
  readonly subject: string
  readonly grid: Grid
  /** Direction of a row, then of a column (LPS). */
  readonly orientation: readonly number[]
  /** Between rows, then between columns (mm). */
  readonly pixelSpacing: readonly number[]
  readonly sliceThickness?: number
  /** What lies at each k of the grid: where (LPS) and which images; undefined where there is no image. */
  readonly slices: readonly (Slice | undefined)[]
  readonly seriesUid: string
  /** Patient, study and frame of reference: text by keyword. */
  readonly texts: ReadonlyMap<Keyword, string>
}

interface Slice {
  readonly position: Vec3
  readonly references: readonly Reference[]
}

/** A source that cannot be referred to, and why: said only where somebody wants to. */
export interface NoSource {
  readonly format: 'dicom'
  readonly fault: InputError
}

const controlEscape = '\x1b'

const copied: readonly Keyword[] = [
  ...(['PatientName', 'PatientID', 'IssuerOfPatientID', 'PatientBirthDate', 'PatientSex'] as const),
  ...(['PatientIdentityRemoved', 'DeidentificationMethod'] as const),
  ...(['StudyInstanceUID', 'StudyDate', 'StudyTime', 'StudyID', 'StudyDescription', 'AccessionNumber'] as const),
  ...(['ReferringPhysicianName', 'FrameOfReferenceUID', 'PositionReferenceIndicator'] as const),
  ...(['SeriesNumber', 'SeriesDate', 'SeriesTime', 'ContentDate', 'ContentTime'] as const),
  ...(['LossyImageCompression', 'LossyImageCompressionRatio', 'LossyImageCompressionMethod'] as const),
]

/** What frames on a grid say for a segmentation of them. Never throws: most readers do not ask. */
export function sourceOf(frames: readonly Frame[], stack: Stack, subject: string): DicomSource | NoSource {
  try {
    return readSource(frames, stack, subject)
  } catch (error) {
    if (error instanceof InputError) return { format: 'dicom', fault: error }
    throw error
  }
}

function readSource(frames: readonly Frame[], { grid, slices }: Stack, subject: string): DicomSource {
  const [{ file, orientation, pixelSpacing, sliceThickness }] = frames
  const { dataSet } = file
  if (!orientation || !pixelSpacing || !frames.every(({ position }) => position)) {
    throw new InputError(subject, 'does not say where it lies; a segmentation needs a series with positions')
  }
  const found: (Slice | undefined)[] = Array.from({ length: grid.shape[2] })
  for (const [n, frame] of frames.entries()) {
    const before = found[slices[n]]
    const references = [...(before?.references ?? []), ...referencesOf(frame)]
    found[slices[n]] = { position: before?.position ?? (frame.position as Vec3), references: distinct(references) }
  }
  const series = derivations(frames).length > 0 ? dataSet.items('ReferencedSeriesSequence')[0] : dataSet
  return {
    format: 'dicom',
    subject,
    grid,
    orientation,
    pixelSpacing,
    ...(sliceThickness !== undefined && { sliceThickness }),
    slices: found,
    seriesUid: required(series ?? dataSet, 'SeriesInstanceUID', subject),
    texts: textsOf(dataSet, subject),
  }
}

/** The images that a segmentation's frame was made from; else the frame itself. */
function referencesOf(frame: Frame): Reference[] {
  const origins = derivations([frame])
  const { file, layout, index } = frame
  if (origins.length > 0) return origins.map((origin) => reference(origin, file.subject))
  return [
    {
      sopClass: file.sopClass ?? '',
      sopInstance: required(file.dataSet, 'SOPInstanceUID', file.subject),
      ...(layout.frames > 1 && { frame: index + 1 }),
    },
  ]
}

function derivations(frames: readonly Frame[]): DataSet[] {
  return frames.flatMap(({ groups }) => [
    ...(groupItem(groups, 'DerivationImageSequence')?.items('SourceImageSequence') ?? []),
  ])
}

function reference(origin: DataSet, subject: string): Reference {
  const frame = origin.number('ReferencedFrameNumber')
  return {
    sopClass: required(origin, 'ReferencedSOPClassUID', subject),
    sopInstance: required(origin, 'ReferencedSOPInstanceUID', subject),
    ...(frame !== undefined && { frame }),
  }
}

function distinct(references: readonly Reference[]): Reference[] {
  return [...new Map(references.map((one) => [`${one.sopInstance} ${one.frame}`, one])).values()]
}

function required(dataSet: DataSet, keyword: Keyword, subject: string): string {
  const text = dataSet.text(keyword)
  if (text !== undefined) return text
  throw new InputError(subject, `has no ${keyword}, which a segmentation of it has to name; export it again`)
}

function textsOf(dataSet: DataSet, subject: string): ReadonlyMap<Keyword, string> {
  const encoding = textEncoding(dataSet.text('SpecificCharacterSet'))
  const texts = new Map<Keyword, string>()
  for (const keyword of copied) {
    // Escape sequences to a set of two bytes, which TextDecoder takes for text.
    const text = dataSet
      .text(keyword, encoding)
      ?.replaceAll(`${controlEscape}$)A`, '')
      .replaceAll(`${controlEscape}$)C`, '')
    if (text === undefined) continue
    if (text.includes(controlEscape) || text.includes('\ufffd')) {
      const charset = dataSet.text('SpecificCharacterSet') ?? 'none'
      throw new InputError(
        subject,
        `has a ${keyword} that cannot be read in its SpecificCharacterSet (${charset}); export it in ISO_IR 192`,
      )
    }
    texts.set(keyword, text)
  }
  required(dataSet, 'StudyInstanceUID', subject)
  return texts
}
