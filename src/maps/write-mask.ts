import type { DecodedCase } from '../decision/decode/case-decoder.ts'
import type { NpyArray } from '../formats/npy.ts'
import { isSegmentFile } from '../formats/segment-files.ts'
import { writeVolume } from '../formats/volume-file.ts'
import type { Volume } from '../volume/volume.ts'
import type { CaseMaps } from './case-maps.ts'
import type { ClassScheme } from './classes.ts'
import { namesOfLabels, schemeLabels } from './scheme-labels.ts'

type Mask = Pick<DecodedCase, 'data' | 'channels'>

/**
 * Writes the mask or label map of a case: an image or a file of segments by its ending (see `writeVolume`), or an array
 * without geometry (`.npy`: axes [z, y, x], or [mask, z, y, x] for separate masks).
 *
 * @param source the case that the mask belongs to: its grid and header
 * @param scheme what its maps are: a label map into NIfTI carries the names of its labels, as TotalSegmentator's do
 * @throws InputError where the name or its folder will not do, OutputError where the disk is full or fails
 * @example
 * const [found] = findCases(['predictions']).cases
 * const { source, scheme } = await openCase(found, { geometryOptional: true })
 * const { decoded } = await decodeCase(source, scheme, {})
 * await writeMask('mask.npy', source, decoded)
 */
export async function writeMask(
  path: string,
  source: Pick<CaseMaps, 'grid' | 'header'>,
  mask: Mask,
  scheme?: Pick<ClassScheme, 'kind' | 'maps'>,
): Promise<void> {
  if (isArrayName(path)) await (await import('../formats/npz.ts')).writeNpy(path, maskArray(source, mask))
  else
    await writeVolume(
      path,
      isSegmentFile(path) ? segmentVolume(source, mask, scheme) : maskVolume(source, mask, scheme),
    )
}

/** The mask of a case as files of segments hold it: every class and every region a segment of its own, and named. */
export function segmentVolume(
  source: Pick<CaseMaps, 'grid' | 'header'>,
  mask: Mask,
  scheme?: Pick<ClassScheme, 'kind' | 'maps'>,
): Volume {
  const volume = maskVolume(source, mask, scheme)
  const classes = (scheme?.maps ?? []).filter((each) => each !== undefined)
  const names = new Map(classes.map(({ name }, n) => [n + 1, name]))
  if (scheme?.kind === 'separate') return { ...volume, labelNames: names }
  if (scheme?.kind !== 'regions') return volume
  // Regions may lie within each other, which one number a voxel cannot tell.
  const { data } = mask
  const regions = new Uint8Array(data.length * classes.length)
  for (const [n, { labels }] of classes.entries()) {
    const inside = new Set(labels)
    for (let i = 0; i < data.length; i++) if (data[i] !== 0 && inside.has(data[i])) regions[n * data.length + i] = 1
  }
  return { ...volume, channels: classes.length, data: regions, labelNames: names }
}

/** The mask or label map of a case as `writeMask` writes it. */
export function maskVolume(
  { grid, header }: Pick<CaseMaps, 'grid' | 'header'>,
  { channels, data }: Mask,
  scheme?: Pick<ClassScheme, 'kind' | 'maps'>,
): Volume {
  // Names that the header may hold are of another image.
  const labelNames = namesOfLabels(scheme && schemeLabels(scheme))
  return { grid, channels, data, labelNames, ...(header !== undefined && { header }) }
}

/** A mask as an array with axes [z, y, x], or [class, z, y, x] for masks of their own. */
export function maskArray({ grid }: Pick<CaseMaps, 'grid'>, { data, channels }: Mask): NpyArray {
  const [x, y, z] = grid.shape
  return { shape: channels === 1 ? [z, y, x] : [channels, z, y, x], data }
}

/** Whether a mask of this name is an array, which needs no geometry. */
export function isArrayName(path: string): boolean {
  return /.\.npy$/i.test(path)
}
