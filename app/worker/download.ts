import { encodeNifti } from '../../src/formats/nifti.ts'
import type { Volume } from '../../src/volume/volume.ts'
import type { Download } from '../protocol.ts'

/** A volume as a `.nii.gz` of the library's own writer, packed by the browser. */
export async function niftiFile(stem: string, volume: Volume): Promise<Download> {
  const bytes = encodeNifti(volume)
  const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream('gzip'))
  return { name: `${stem}.nii.gz`, blob: await new Response(packed).blob() }
}
