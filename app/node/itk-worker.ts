// Stands in for formats/itk-worker.ts: ITK has some megabytes, which the page does not bring.
import { RunError } from '../../src/volume/errors.ts'

export class ItkFailure extends Error {
  override readonly name = 'ItkFailure'
}

export async function withItk(): Promise<never> {
  throw new RunError('DICOM', 'its pixels are compressed, which the page does not read; use the command line')
}
