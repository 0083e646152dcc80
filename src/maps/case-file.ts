import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The endings of an image that lies in a folder under the name of its case, the usual ones first. */
const endings = ['.nii.gz', '.nii', '.nrrd', '.mha', '.mhd', '.hdr'] as const

/** The first of the files `STEM.nii.gz`, `STEM.nii` … of a folder that exists, the stems in their order. */
export function fileOf(folder: string, stems: readonly string[]): string | undefined {
  return stems.flatMap((stem) => endings.map((ending) => join(folder, stem + ending))).find((path) => existsSync(path))
}

/**
 * The image of a case in a folder of images: nnU-Net's first channel (`CASE_0000.nii.gz`), a file of the case's name,
 * or the image in a folder of its name (TotalSegmentator's `CASE/ct.nii.gz`, KiTS's `CASE/imaging.nii.gz`).
 */
export function imageOfCase(folder: string, name: string): string | undefined {
  const inFolder = ['ct', 'mri', 'imaging', 'image'].map((stem) => join(name, stem))
  return fileOf(folder, [`${name}_0000`, name, ...inFolder])
}
