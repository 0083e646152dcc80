import { createHash } from 'node:crypto'
import { InputError } from '../../volume/errors.ts'
import { type Vec3, worldPosition } from '../../volume/grid.ts'
import type { Volume } from '../../volume/volume.ts'
import { type Segment, segmentsOf } from '../segments.ts'
import { attributeTags, type Keyword } from './attributes.ts'
import { dicomFile, elementHead, elements, type NewElement } from './elements.ts'
import { type SegmentFrames, segmentFrames } from './segmentation-bits.ts'
import { characterSet, cieLab, code, decimal, derivedUid, label, text } from './segmentation-values.ts'
import type { DicomSource, NoSource, Reference } from './source.ts'

const segmentationClass = '1.2.840.10008.5.1.4.1.1.66.4'

/** Segment number, then place along the slices: what frames are ordered by. */
const dimensions = [
  { pointer: 0x0062000b, group: 0x0062000a, name: 'ReferencedSegmentNumber' },
  { pointer: 0x00200032, group: 0x00209113, name: 'ImagePositionPatient' },
]

/**
 * A DICOM segmentation (PS3.3, A.51: BINARY, one frame for each slice of each segment that holds something) in pieces.
 * It belongs to the patient, study and frame of reference of the images that the volume's `header` comes from, and
 * refers to them. The same masks of the same images give the same bytes: identifiers are drawn from the content, and
 * dates are the images'.
 *
 * @param path for messages
 * @param version of this program
 * @throws InputError where the volume comes from no DICOM images, holds no masks, or lies on another grid than they
 */
export function encodeSegmentation(volume: Volume, path: string, version: string): Uint8Array[] {
  const source = requireSource(volume.header, path)
  const segmented = segmentsOf(volume, path)
  const content = segmentFrames(segmented, volume, source.grid, { path, subject: source.subject })
  const { bits } = content
  const [groups, about] = [frameGroups(content, source), [...aboutStudy(source), ...aboutSeries(source, version)]]
  const described = [
    ...aboutPixels(source, content.frames.length),
    { tag: 0x00620002, vr: 'SQ', value: segmented.segments.map(describe) } as const,
    ...characterSet([...segmented.segments.map(({ name }) => name), ...source.texts.values()]),
  ]
  const digest = createHash('sha256')
  for (const part of [about, described, groups].map(elements)) digest.update(part)
  const uid = derivedUid(digest.update(bits).digest())
  const sopInstance = uid('instance')
  const body = elements([
    ...about,
    ...described,
    ...groups,
    text(0x00080018, 'UI', sopInstance),
    text(0x0020000e, 'UI', uid('series')),
    ...aboutDimensions(uid('dimensions')),
  ])
  const padded = bits.length + (bits.length % 2)
  const pixels = [elementHead(0x7fe00010, 'OB', padded), bits, new Uint8Array(padded - bits.length)]
  return dicomFile({ sopClass: segmentationClass, sopInstance }, [body, ...pixels])
}

/** The images that a mask belongs to. Throws an InputError where there are none. */
export function requireSource(header: unknown, path: string): DicomSource {
  const source = header as Partial<DicomSource & NoSource> | undefined
  if (source?.format !== 'dicom') {
    const why = 'is a DICOM segmentation, which refers to DICOM images'
    throw new InputError(path, `${why}: give these (threshold: --like SERIES), or end it in .nii.gz`)
  }
  if (source.fault) throw source.fault
  return source as DicomSource
}

/** Patient, study, and the frame of reference (PS3.3, C.7.1.1, C.7.2.1, C.7.4.1). */
function aboutStudy({ texts: known }: DicomSource): NewElement[] {
  const copy = (keyword: Keyword): NewElement => {
    const [tag, vr] = attributeTags[keyword]
    return text(tag, vr as 'LO', known.get(keyword) ?? '')
  }
  const always: Keyword[] = ['PatientName', 'PatientID', 'PatientBirthDate', 'PatientSex', 'StudyInstanceUID']
  always.push('StudyDate', 'StudyTime', 'ReferringPhysicianName', 'StudyID', 'AccessionNumber')
  const optional: Keyword[] = ['IssuerOfPatientID', 'StudyDescription']
  if (known.has('DeidentificationMethod')) optional.push('PatientIdentityRemoved', 'DeidentificationMethod')
  if (known.has('FrameOfReferenceUID')) always.push('FrameOfReferenceUID', 'PositionReferenceIndicator')
  return [...always, ...optional.filter((keyword) => known.has(keyword))].map(copy)
}

/** Series, equipment and instance (C.7.3.1, C.7.5.1, C.7.5.2, C.8.20.1, C.12.1). */
function aboutSeries({ texts: known, seriesUid, slices }: DicomSource, version: string): NewElement[] {
  const number = Number(known.get('SeriesNumber') ?? 0)
  const date = known.get('ContentDate') ?? known.get('SeriesDate') ?? known.get('StudyDate') ?? '19700101'
  const time = known.get('ContentTime') ?? known.get('SeriesTime') ?? known.get('StudyTime') ?? '000000'
  const references = slices.flatMap((slice) => slice?.references ?? [])
  const instances = [...new Map(references.map((one) => [one.sopInstance, one])).values()]
  const referred = [
    text(0x0020000e, 'UI', seriesUid),
    { tag: 0x0008114a, vr: 'SQ', value: instances.map((one) => reference({ ...one, frame: undefined })) } as const,
  ]
  return [
    text(0x00080016, 'UI', segmentationClass),
    text(0x00080060, 'CS', 'SEG'),
    text(0x0008103e, 'LO', 'halfdice segmentation'),
    // Behind the series it belongs to.
    text(0x00200011, 'IS', String(number >= 0 && number < 1e6 ? number + 1000 : 1000)),
    text(0x00200013, 'IS', '1'),
    text(0x00080023, 'DA', date),
    text(0x00080033, 'TM', time),
    text(0x00080070, 'LO', 'halfdice'),
    text(0x00081090, 'LO', 'halfdice'),
    text(0x00181000, 'LO', 'none'),
    text(0x00181020, 'LO', version),
    { tag: 0x00081115, vr: 'SQ', value: [referred] },
  ]
}

/** Image pixels and segmentation image (C.7.6.3, C.8.20.2). */
function aboutPixels({ grid, texts: known }: DicomSource, frames: number): NewElement[] {
  const lossy = known.get('LossyImageCompression') === '01' && known.has('LossyImageCompressionRatio')
  const [ratio, method] = (['LossyImageCompressionRatio', 'LossyImageCompressionMethod'] as const).map((k) =>
    known.get(k),
  )
  return [
    text(0x00080008, 'CS', 'DERIVED\\PRIMARY'),
    { tag: 0x00280002, vr: 'US', value: [1] },
    text(0x00280004, 'CS', 'MONOCHROME2'),
    text(0x00280008, 'IS', String(frames)),
    { tag: 0x00280010, vr: 'US', value: [grid.shape[1]] },
    { tag: 0x00280011, vr: 'US', value: [grid.shape[0]] },
    { tag: 0x00280100, vr: 'US', value: [1] },
    { tag: 0x00280101, vr: 'US', value: [1] },
    { tag: 0x00280102, vr: 'US', value: [0] },
    { tag: 0x00280103, vr: 'US', value: [0] },
    text(0x00282110, 'CS', lossy ? '01' : '00'),
    ...(lossy ? [text(0x00282112, 'DS', ratio ?? ''), text(0x00282114, 'CS', method ?? '')] : []),
    text(0x00620001, 'CS', 'BINARY'),
    text(0x00700080, 'CS', 'SEGMENTATION'),
    text(0x00700081, 'LO', ''),
    text(0x00700084, 'PN', ''),
  ]
}

/** An item of the sequence of segments. What its name means in a terminology, nobody has said. */
function describe({ number, name, colour }: Segment): NewElement[] {
  const tissue = { tag: 0, vr: 'SQ', value: [code('85756007', 'SCT', 'Tissue')] } as const
  return [
    { ...tissue, tag: 0x00620003 },
    { tag: 0x00620004, vr: 'US', value: [number] },
    text(0x00620005, 'LO', label(name)),
    text(0x00620008, 'CS', 'AUTOMATIC'),
    text(0x00620009, 'LO', 'halfdice'),
    { tag: 0x0062000d, vr: 'US', value: cieLab(colour) },
    { ...tissue, tag: 0x0062000f },
  ]
}

function aboutDimensions(uid: string): NewElement[] {
  const indices = dimensions.map(({ pointer, group, name }): NewElement[] => [
    text(0x00209164, 'UI', uid),
    { tag: 0x00209165, vr: 'AT', value: [pointer] },
    { tag: 0x00209167, vr: 'AT', value: [group] },
    text(0x00209421, 'LO', name),
  ])
  return [
    { tag: 0x00209221, vr: 'SQ', value: [[text(0x00209164, 'UI', uid)]] },
    { tag: 0x00209222, vr: 'SQ', value: indices },
  ]
}

/** Functional groups (C.7.6.16): what all frames share, and what each has of its own. */
function frameGroups({ frames }: SegmentFrames, source: DicomSource): NewElement[] {
  const { orientation, pixelSpacing, sliceThickness } = source
  const between = perpendicularStep(source)
  const measures = [
    text(0x00180050, 'DS', decimal(sliceThickness ?? between)),
    text(0x00180088, 'DS', decimal(between)),
    text(0x00280030, 'DS', pixelSpacing.map(decimal).join('\\')),
  ]
  const shared: NewElement[] = [
    { tag: 0x00209116, vr: 'SQ', value: [[text(0x00200037, 'DS', orientation.map(decimal).join('\\'))]] },
    { tag: 0x00289110, vr: 'SQ', value: [measures] },
  ]
  const places = [...new Set(frames.map(({ slice }) => slice))].sort((a, b) => a - b)
  const rank = new Map(places.map((slice, n) => [slice, n + 1]))
  const each = frames.map(({ segment, slice }): NewElement[] => {
    const position = source.slices[slice]?.position ?? positionAt(source, slice)
    const references = source.slices[slice]?.references ?? []
    const index = [segment + 1, rank.get(slice) ?? 1]
    return [
      ...derivation(references),
      { tag: 0x00209111, vr: 'SQ', value: [[{ tag: 0x00209157, vr: 'UL', value: index }]] },
      { tag: 0x00209113, vr: 'SQ', value: [[text(0x00200032, 'DS', position.map(decimal).join('\\'))]] },
      { tag: 0x0062000a, vr: 'SQ', value: [[{ tag: 0x0062000b, vr: 'US', value: [segment + 1] }]] },
    ]
  })
  return [
    { tag: 0x52009229, vr: 'SQ', value: [shared] },
    { tag: 0x52009230, vr: 'SQ', value: each },
  ]
}

/** What a frame was made from (C.7.6.16.2.6). */
function derivation(references: readonly Reference[]): NewElement[] {
  if (references.length === 0) return []
  const purpose = code('121322', 'DCM', 'Source image for image processing operation')
  const sources = references.map((one): NewElement[] => [
    ...reference(one),
    text(0x0028135a, 'CS', 'YES'),
    { tag: 0x0040a170, vr: 'SQ', value: [purpose] },
  ])
  const derived: NewElement[] = [
    { tag: 0x00082112, vr: 'SQ', value: sources },
    { tag: 0x00089215, vr: 'SQ', value: [code('113076', 'DCM', 'Segmentation')] },
  ]
  return [{ tag: 0x00089124, vr: 'SQ', value: [derived] }]
}

function reference({
  sopClass,
  sopInstance,
  frame,
}: { [P in keyof Reference]: Reference[P] | undefined }): NewElement[] {
  return [
    text(0x00081150, 'UI', sopClass ?? ''),
    text(0x00081155, 'UI', sopInstance ?? ''),
    ...(frame === undefined ? [] : [text(0x00081160, 'IS', String(frame))]),
  ]
}

/** Slices of a sheared stack (gantry tilt) lie nearer to each other than their positions. */
function perpendicularStep({ grid, orientation: o }: DicomSource): number {
  const { spacing, direction: d } = grid
  const normal = [o[1] * o[5] - o[2] * o[4], o[2] * o[3] - o[0] * o[5], o[0] * o[4] - o[1] * o[3]]
  const [x, y, z] = [-d[2], -d[5], d[8]]
  return Math.abs(spacing[2] * (normal[0] * x + normal[1] * y + normal[2] * z))
}

/** In DICOM's world, LPS. */
function positionAt({ grid }: DicomSource, slice: number): Vec3 {
  const [x, y, z] = worldPosition(grid, [0, 0, slice])
  return [-x + 0, -y + 0, z]
}
