import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InputError } from '../../volume/errors.ts'
import type { VoxelArray } from '../../volume/volume.ts'
import { ItkFailure, type ItkImage, withItk } from '../itk-worker.ts'
import { arrayType } from '../voxel-types.ts'
import { encodePixelFile } from './encode.ts'
import { type FramePixels, type PixelLayout, pixelType } from './image.ts'
import type { DicomFile } from './part10.ts'

/**
 * Decodes JPEG, JPEG-LS, JPEG 2000 and RLE frames. ITK is given the pixels alone, so that what it makes of the rest of the
 * file (the order of frames, rescaling, geometry) does not matter.
 *
 * @throws InputError where ITK cannot decode them
 */
export async function decodeWithItk(
  syntaxUid: string,
  layout: PixelLayout,
  frames: readonly Uint8Array[],
  { subject, syntax }: DicomFile,
): Promise<FramePixels> {
  const damaged = new InputError(
    subject,
    `has pixels that cannot be decoded as ${syntax.name}: it is damaged; copy it again, or export it uncompressed`,
  )
  if (layout.bitsAllocated === 1) throw damaged
  if (/JPEG/.test(syntax.name) && !frames.every(endsAsJpeg)) throw damaged
  const count = layout.rows * layout.columns
  const data = await withTemporaryFile(encodePixelFile(syntaxUid, layout, frames), (path) =>
    withItk((call) =>
      call<{ couldRead?: boolean; image?: ItkImage }>('gdcmReadImageNode', count * frames.length, path),
    ),
  ).then(
    ({ couldRead, image }) => (couldRead ? (image?.data as VoxelArray | null | undefined) : undefined),
    (error) => {
      throw error instanceof ItkFailure ? damaged : error
    },
  )
  if (data?.length !== count * frames.length || arrayType(data) !== pixelType(layout)) throw damaged
  return (index) => data.subarray(index * count, (index + 1) * count)
}

/** Every JPEG codestream ends in the marker FF D9, which a truncated one lacks; one byte of padding may follow. */
function endsAsJpeg(frame: Uint8Array): boolean {
  const end = frame.length - (frame.at(-1) === 0xd9 ? 0 : 1)
  return frame[end - 2] === 0xff && frame[end - 1] === 0xd9
}

async function withTemporaryFile<T>(bytes: Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'halfdice-dicom-'))
  try {
    const path = join(folder, 'pixels.dcm')
    await writeFile(path, bytes)
    return await use(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
