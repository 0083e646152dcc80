import { dicomFile, elementHead, elements, item } from './elements.ts'
import type { PixelLayout } from './image.ts'

/** Classes of a bare multi-frame image: 8 bits, and more. */
const byteImage = '1.2.840.10008.5.1.4.1.1.7.2'
const wordImage = '1.2.840.10008.5.1.4.1.1.7.3'
/** A uid below the root that stands for UUIDs (PS3.5, B.2); no two files meet, so that one number will do. */
const uid = '2.25.1'

/**
 * A DICOM file that holds compressed pixels and nothing else: no patient, no place, no rescaling. So a decoder gives
 * the stored numbers of each frame, in the order of `frames`.
 */
export function encodePixelFile(syntax: string, layout: PixelLayout, frames: readonly Uint8Array[]): Uint8Array {
  const sopClass = layout.bitsAllocated === 8 ? byteImage : wordImage
  const body = [
    elements([
      { tag: 0x00080016, vr: 'UI', value: sopClass },
      { tag: 0x00080018, vr: 'UI', value: uid },
      { tag: 0x00280002, vr: 'US', value: [1] },
      { tag: 0x00280004, vr: 'CS', value: 'MONOCHROME2' },
      { tag: 0x00280008, vr: 'IS', value: String(frames.length) },
      { tag: 0x00280010, vr: 'US', value: [layout.rows] },
      { tag: 0x00280011, vr: 'US', value: [layout.columns] },
      { tag: 0x00280100, vr: 'US', value: [layout.bitsAllocated] },
      { tag: 0x00280101, vr: 'US', value: [layout.bitsStored] },
      { tag: 0x00280102, vr: 'US', value: [layout.bitsStored - 1] },
      { tag: 0x00280103, vr: 'US', value: [Number(layout.signed)] },
    ]),
    elementHead(0x7fe00010, 'OB', 0xffffffff),
    item(new Uint8Array(0)),
    ...frames.map((frame) => item(frame)),
    item(new Uint8Array(0), 0xfffee0dd),
  ]
  return Buffer.concat(dicomFile({ sopClass, sopInstance: uid, syntax }, body))
}
