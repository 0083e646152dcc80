import { basename } from 'node:path'
import type { Volume } from '../volume/volume.ts'
import { writeAtomically, writeFolderAtomically, writePieces } from './atomic-write.ts'
import { gzip } from './gzip-write.ts'
import { niftiHead } from './nifti.ts'
import { bytesOf, hostLittleEndian, swapBytes } from './voxel-types.ts'

/** Bytes that are compressed or turned round at a time; fixed, because the bytes of a `.nii.gz` depend on it. */
const slabBytes = 1 << 20

/** Writes `.nii` or `.nii.gz`. */
export async function writeNifti(path: string, volume: Volume): Promise<void> {
  await writeAtomically(path, pieces(path, niftiFile(volume)))
}

/** Writes the pair `.hdr`/`.img` (or `.hdr.gz`/`.img.gz`) from the name of either. */
export async function writeNiftiPair(path: string, volume: Volume): Promise<void> {
  const { head, littleEndian } = niftiHead(volume, false)
  await writeFolderAtomically(path, async (folder) => {
    const name = basename(path)
    const [hdr, img] = ['hdr', 'img'].map((part) => name.replace(/(hdr|img)(?=(\.gz)?$)/i, part))
    await writePieces(`${folder}/${hdr}`, pieces(path, [head]))
    await writePieces(`${folder}/${img}`, pieces(path, slabs(volume, littleEndian)))
    return [
      [img, img],
      [hdr, hdr],
    ]
  })
}

function pieces(path: string, bytes: Iterable<Uint8Array>): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return /\.gz$/i.test(path) ? gzip(bytes) : bytes
}

function* niftiFile(volume: Volume): Generator<Uint8Array> {
  const { head, littleEndian } = niftiHead(volume, true)
  yield head
  yield* slabs(volume, littleEndian)
}

/** The voxels' bytes in the order that the header promises. */
function* slabs({ data }: Volume, littleEndian: boolean): Generator<Uint8Array> {
  const bytes = bytesOf(data)
  for (let at = 0; at < bytes.length; at += slabBytes) {
    const slab = bytes.subarray(at, at + slabBytes)
    if (littleEndian === hostLittleEndian) yield slab
    else {
      const turned = slab.slice()
      swapBytes(turned, data.BYTES_PER_ELEMENT)
      yield turned
    }
  }
}
