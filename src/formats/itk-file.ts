import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { InputError } from '../volume/errors.ts'
import type { Volume } from '../volume/volume.ts'
import { volumeOfItk } from './itk-image.ts'
import { type ItkCall, ItkFailure, type ItkImage, withItk } from './itk-worker.ts'

/** Reads a single DICOM file. */
export async function readDicomFile(path: string): Promise<Volume> {
  return volumeOfItk(await withItk((call) => readItkImage(call, path)), path)
}

/** Reads a DICOM file as an ITK image. Throws InputError where ITK cannot. */
export async function readItkImage(call: ItkCall, path: string): Promise<ItkImage> {
  const damaged = new InputError(
    path,
    'cannot be read as DICOM: it is truncated, damaged or of a kind that ITK does not know; export it again',
  )
  try {
    const { size } = await stat(path)
    const { couldRead, image } = await call<{ couldRead?: boolean; image?: ItkImage }>(
      'gdcmReadImageNode',
      size,
      resolve(path),
    )
    if (!couldRead || !image) throw damaged
    return image
  } catch (error) {
    throw error instanceof ItkFailure ? damaged : error
  }
}
