import { encodeNifti } from '../../src/formats/nifti.ts'
import type { Volume } from '../../src/volume/volume.ts'
import type { Download } from '../protocol.ts'

/** A volume as a `.nii.gz` of the library's own writer, packed by the browser. */
export async function niftiFile(stem: string, volume: Volume): Promise<Download> {
  return { name: `${stem}.nii.gz`, blob: await packed(encodeNifti(volume)) }
}

export async function packed(bytes: Uint8Array): Promise<Blob> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
  return new Response(stream.pipeThrough(new CompressionStream('gzip'))).blob()
}
