import type { Encoding } from './parse.ts'
import { explicitLittle, implicitLittle } from './signature.ts'

/**
 * How the pixels of a transfer syntax are stored: plainly, in fragments that are plain, deflated or run lengths, or as
 * ITK decodes.
 */
export type PixelCoding = 'native' | 'plain fragments' | 'deflated fragments' | 'rle' | 'itk'

export interface TransferSyntax extends Encoding {
  readonly name: string
  /** undefined where neither halfdice nor ITK decodes the pixels. */
  readonly pixels?: PixelCoding
  /** Whether the data set is compressed as a whole. */
  readonly deflated?: boolean
}

const explicit = (name: string, pixels?: PixelCoding): TransferSyntax => ({
  name,
  explicit: true,
  little: true,
  ...(pixels && { pixels }),
})

/** Transfer syntaxes by uid (DICOM PS3.6, table A-1). */
export const transferSyntaxes: ReadonlyMap<string, TransferSyntax> = new Map([
  [implicitLittle, { name: 'implicit VR little endian', explicit: false, little: true, pixels: 'native' }],
  [explicitLittle, explicit('explicit VR little endian', 'native')],
  ['1.2.840.10008.1.2.1.98', explicit('encapsulated uncompressed', 'plain fragments')],
  ['1.2.840.10008.1.2.1.99', { ...explicit('deflated explicit VR little endian', 'native'), deflated: true }],
  ['1.2.840.10008.1.2.2', { name: 'explicit VR big endian', explicit: true, little: false, pixels: 'native' }],
  ['1.2.840.10008.1.2.4.50', explicit('JPEG baseline', 'itk')],
  ['1.2.840.10008.1.2.4.51', explicit('JPEG extended', 'itk')],
  ['1.2.840.10008.1.2.4.57', explicit('JPEG lossless', 'itk')],
  ['1.2.840.10008.1.2.4.70', explicit('JPEG lossless, first-order prediction', 'itk')],
  ['1.2.840.10008.1.2.4.80', explicit('JPEG-LS lossless', 'itk')],
  ['1.2.840.10008.1.2.4.81', explicit('JPEG-LS near-lossless', 'itk')],
  ['1.2.840.10008.1.2.4.90', explicit('JPEG 2000 lossless', 'itk')],
  ['1.2.840.10008.1.2.4.91', explicit('JPEG 2000', 'itk')],
  ['1.2.840.10008.1.2.4.92', explicit('JPEG 2000 part 2 lossless')],
  ['1.2.840.10008.1.2.4.93', explicit('JPEG 2000 part 2')],
  ['1.2.840.10008.1.2.4.94', explicit('JPIP')],
  ['1.2.840.10008.1.2.4.95', explicit('JPIP deflated')],
  ['1.2.840.10008.1.2.4.100', explicit('MPEG-2')],
  ['1.2.840.10008.1.2.4.101', explicit('MPEG-2')],
  ['1.2.840.10008.1.2.4.102', explicit('MPEG-4')],
  ['1.2.840.10008.1.2.4.103', explicit('MPEG-4')],
  ['1.2.840.10008.1.2.4.107', explicit('HEVC')],
  ['1.2.840.10008.1.2.4.108', explicit('HEVC')],
  ['1.2.840.10008.1.2.4.110', explicit('JPEG XL lossless')],
  ['1.2.840.10008.1.2.4.111', explicit('JPEG XL recompression')],
  ['1.2.840.10008.1.2.4.112', explicit('JPEG XL')],
  ['1.2.840.10008.1.2.4.201', explicit('High-Throughput JPEG 2000 lossless')],
  ['1.2.840.10008.1.2.4.202', explicit('High-Throughput JPEG 2000 lossless (RPCL)')],
  ['1.2.840.10008.1.2.4.203', explicit('High-Throughput JPEG 2000')],
  ['1.2.840.10008.1.2.5', explicit('RLE lossless', 'rle')],
  ['1.2.840.10008.1.2.8.1', explicit('deflated image frames', 'deflated fragments')],
])
