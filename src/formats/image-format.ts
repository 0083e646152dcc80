import { stat } from 'node:fs/promises'
import { InputError } from '../volume/errors.ts'
import { looksLikeDicom } from './dicom/signature.ts'
import { inputFault } from './file-faults.ts'
import { openRegularFile } from './read-file.ts'

/** How an image is stored: `dicom` is a DICOM file, `series` a folder of them. */
export type ImageFormat = 'nifti' | 'nrrd' | 'meta' | 'dicom' | 'series'

/**
 * Tells an image's format by its first bytes and, where they say nothing, by its name. What is none of the others
 * counts as NIfTI, whose reader names the fault.
 */
export async function imageFormat(path: string): Promise<ImageFormat> {
  try {
    const about = await stat(path)
    if (about.isDirectory()) return 'series'
    const { file } = await openRegularFile(path)
    const bytes = Buffer.alloc(1024)
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0).finally(() => file.close())
    return formatOfBytes(bytes.subarray(0, bytesRead), path)
  } catch (error) {
    throw inputFault(error, path)
  }
}

function formatOfBytes(bytes: Buffer, path: string): ImageFormat {
  const start = bytes.toString('latin1')
  if (start === '') return 'nifti'
  if (start.startsWith('NRRD000') || /\.(nrrd|nhdr)$/i.test(path)) return 'nrrd'
  if (looksLikeDicom(bytes) || /\.dcm$/i.test(path)) return 'dicom'
  if (/^NDims *= *\d/m.test(start) || /\.(mha|mhd)$/i.test(path)) return 'meta'
  if (start.startsWith('PK\x03\x04') || start.startsWith('\x93NUMPY')) {
    throw new InputError(path, 'is a NumPy or zip file without geometry; give an image (NIfTI, NRRD, MetaImage, DICOM)')
  }
  return 'nifti'
}
