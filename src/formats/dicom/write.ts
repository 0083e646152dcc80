import { ownPackage } from '../../volume/own-package.ts'
import type { Volume } from '../../volume/volume.ts'
import { writeAtomically } from '../atomic-write.ts'
import { encodeSegmentation } from './segmentation-write.ts'

/** Writes masks as a DICOM segmentation: see `encodeSegmentation`. */
export async function writeSegmentation(path: string, volume: Volume): Promise<void> {
  await writeAtomically(path, encodeSegmentation(volume, path, ownPackage().version))
}
