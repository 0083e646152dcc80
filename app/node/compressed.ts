// Stands in for formats/dicom/compressed.ts: ITK, which decodes, has some megabytes, which the page does not bring.
import type { CompressedPixels } from '../../src/formats/dicom/compressed.ts'
import { InputError } from '../../src/volume/errors.ts'

export async function decodeWithItk([{ file }]: readonly CompressedPixels[]): Promise<never> {
  const fault = `is compressed as ${file.syntax.name}, which the page does not decode`
  throw new InputError(file.subject, `${fault}; save it uncompressed (gdcmconv --raw), or use the command line`)
}
