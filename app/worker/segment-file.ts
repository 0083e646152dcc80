import { encodeSegmentation } from '../../src/formats/dicom/segmentation-write.ts'
import { nrrdParts } from '../../src/formats/nrrd.ts'
import type { Volume } from '../../src/volume/volume.ts'
import type { Download } from '../protocol.ts'
import { packed } from './download.ts'

/** Of this program; scripts/build-lab.mjs puts it here. */
declare const VERSION: string

/** Masks as a file of segments, as `writeVolume` writes them. Loaded when one is asked for. */
export async function segmentFile(stem: string, ending: '.dcm' | '.seg.nrrd', volume: Volume): Promise<Download> {
  const name = stem + ending
  if (ending === '.dcm') {
    return { name, blob: new Blob(encodeSegmentation(volume, name, VERSION) as Uint8Array<ArrayBuffer>[]) }
  }
  const { head, data } = nrrdParts(name, volume)
  return { name, blob: new Blob([head as Uint8Array<ArrayBuffer>, await packed(data)]) }
}
