import { InputError } from '../volume/errors.ts'
import { inputFault } from './file-faults.ts'
import { openRegularFile } from './read-file.ts'

/** The text that begins an NRRD or MetaImage file. */
export interface TextHead {
  readonly text: string
  /** The byte behind the header: the first one of attached data. */
  readonly end: number
  /** Bytes of the file. */
  readonly size: number
}

/** Headers of real files take a few kilobytes, those of large segmentations some hundred. */
const maxHeadBytes = 1 << 24
const stepBytes = 1 << 16

/**
 * Reads the header of a file. `endOf` gets the file's first bytes as Latin-1 text (a character is a byte) and where to
 * look from, and returns where the header ends; undefined where it needs more. A file without such an end is all
 * header.
 *
 * @throws InputError where the file cannot be read or its header has no end within 16 MiB
 */
export async function readTextHead(
  path: string,
  endOf: (start: string, from: number) => number | undefined,
): Promise<TextHead> {
  try {
    const { file, size } = await openRegularFile(path)
    try {
      if (size === 0) throw new InputError(path, 'is empty; was it downloaded or copied completely?')
      let bytes = Buffer.alloc(0)
      // Doubled each time: what is read and searched stays in proportion to the header.
      for (let want = stepBytes; ; want *= 2) {
        const from = bytes.length
        const more = Buffer.alloc(Math.min(want, size) - from)
        const { bytesRead } = await file.read(more, 0, more.length, from)
        bytes = Buffer.concat([bytes, more.subarray(0, bytesRead)])
        const end = endOf(bytes.toString('latin1'), from)
        const whole = bytesRead < more.length || bytes.length >= size
        if (end === undefined && !whole && want < maxHeadBytes) continue
        if (end === undefined && !whole) throw new InputError(path, 'has a header without an end; it is damaged')
        return { text: bytes.toString('utf8', 0, end), end: end ?? bytes.length, size }
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    throw inputFault(error, path)
  }
}

/** A number as headers spell it, or NaN. */
export function headerNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text)
}
