import type { Volume } from '../volume/volume.ts'

/** Whether a name asks for a file of segments with names and colours, which holds masks only. */
export function isSegmentFile(path: string): boolean {
  return isDicomName(path) || /.\.seg\.nrrd$/i.test(path)
}

export function isDicomName(path: string): boolean {
  return /.\.dcm$/i.test(path)
}

/**
 * Checks, before any work is done, that masks of an image can become the file: a DICOM segmentation refers to DICOM
 * images.
 *
 * @param header of the image
 * @throws InputError where they cannot
 */
export async function requireImages(path: string, header: unknown): Promise<void> {
  if (isDicomName(path)) (await import('./dicom/segmentation-write.ts')).requireSource(header, path)
}

/** What is different in a file of segments, for whoever reads it by number. */
export async function segmentNote(path: string, volume: Volume): Promise<string | undefined> {
  if (!isDicomName(path) || volume.channels > 1) return undefined
  const { segments } = (await import('./segments.ts')).segmentsOf(volume, path)
  const moved = segments.filter(({ number, value }) => number !== value)
  if (moved.length === 0) return undefined
  const [{ value, number }] = moved
  const others = moved.length > 1 ? `, and ${moved.length - 1} more` : ''
  return `DICOM numbers segments from 1 on: label ${value} is segment ${number}${others}; their names tell the labels`
}
