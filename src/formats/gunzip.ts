import type { Bytes } from '../volume/bytes.ts'
import { checkBytes } from '../volume/checks.ts'
import { InputError } from '../volume/errors.ts'

/**
 * Decompresses gzip bytes, in Node and in browsers.
 *
 * @param subject what to call the file in errors
 * @throws InputError where the data are truncated, damaged or followed by something else
 * @example
 * const volume = { grid: createGrid([2, 1, 1]), channels: 1, data: Uint8Array.of(0, 1) }
 * const zip = new Blob([encodeNifti(volume)]).stream().pipeThrough(new CompressionStream('gzip'))
 * const bytes = new Uint8Array(await new Response(zip).arrayBuffer())
 * decodeNifti(await gunzip(bytes, 'a.nii.gz'), 'a.nii.gz').data // [0, 1]
 */
export async function gunzip(bytes: Uint8Array, subject: string): Promise<Bytes> {
  checkBytes(bytes, subject)
  try {
    const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('gzip'))
    return new Uint8Array(await new Response(stream).arrayBuffer())
  } catch (error) {
    if (!(error instanceof TypeError || (error as { code?: unknown }).code !== undefined)) throw error
    throw new InputError(subject, 'is a truncated or damaged gzip file; copy or download it again')
  }
}
