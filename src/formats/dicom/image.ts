import { InputError } from '../../volume/errors.ts'
import type { VoxelArray } from '../../volume/volume.ts'
import type { VoxelType } from '../voxel-types.ts'
import type { DicomFile } from './part10.ts'

/** How the pixels of one file are stored. */
export interface PixelLayout {
  readonly rows: number
  readonly columns: number
  readonly frames: number
  readonly bitsAllocated: 1 | 8 | 16 | 32
  readonly bitsStored: number
  readonly signed: boolean
}

/**
 * The layout of a file's pixels (DICOM PS3.3, C.7.6.3).
 *
 * @throws InputError where pixels are coloured, or their description is incomplete or contradicts itself
 */
export function pixelLayout({ dataSet, subject }: DicomFile): PixelLayout {
  const refuse = (fault: string): never => {
    throw new InputError(subject, fault)
  }
  const [rows, columns] = [dataSet.require('Rows'), dataSet.require('Columns')]
  const frames = dataSet.number('NumberOfFrames') ?? 1
  if (rows < 1 || columns < 1) refuse(`has ${rows} rows and ${columns} columns; export it again`)
  if (!Number.isInteger(frames) || frames < 1) refuse(`has ${frames} frames; export it again`)
  const photometric = dataSet.text('PhotometricInterpretation') ?? 'MONOCHROME2'
  const samples = dataSet.number('SamplesPerPixel') ?? 1
  // The colours of a palette only decorate the numbers of a label map.
  if (samples !== 1 || !/^(MONOCHROME[12]|PALETTE COLOR)$/.test(photometric)) {
    refuse(`has pixels in colour (${photometric}); give an image of grey values`)
  }
  const bitsAllocated = dataSet.require('BitsAllocated')
  const bitsStored = dataSet.number('BitsStored') ?? bitsAllocated
  const highBit = dataSet.number('HighBit') ?? bitsStored - 1
  const representation = dataSet.number('PixelRepresentation') ?? 0
  if (bitsAllocated !== 1 && bitsAllocated !== 8 && bitsAllocated !== 16 && bitsAllocated !== 32) {
    return refuse(`has pixels of ${bitsAllocated} bits; convert it to 8, 16 or 32`)
  }
  if (bitsStored < 1 || bitsStored > bitsAllocated || highBit !== bitsStored - 1 || representation > 1) {
    refuse(`has pixels of ${bitsStored} in ${bitsAllocated} bits, the highest being bit ${highBit}; export it again`)
  }
  return { rows, columns, frames, bitsAllocated, bitsStored, signed: representation === 1 }
}

/** The stored numbers of one frame, row by row. */
export type FramePixels = (index: number) => VoxelArray

/** The type that holds a file's stored numbers; single bits become bytes. */
export function pixelType({ bitsAllocated, signed }: PixelLayout): VoxelType {
  const bits = bitsAllocated === 1 ? 8 : bitsAllocated
  return `${signed ? '' : 'u'}int${bits}`
}

/** What to say of compressed pixels that are damaged. */
export function undecodable(subject: string, coding: string): InputError {
  return new InputError(
    subject,
    `has pixels that cannot be decoded as ${coding}: it is damaged; copy it again, or export it uncompressed`,
  )
}
