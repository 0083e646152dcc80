import { sampleImage } from '../maps/sample-image.ts'
import { InputError } from '../volume/errors.ts'
import type { FlatSlice } from './kit/flat-slice.ts'

/** With less of the slice in it, an image belongs to something else. */
const leastShare = 0.5

/**
 * The values of an image on a slice, by where both lie in space; undefined where it shows less than half of the slice
 * or cannot be read, which is added to `warnings`: a picture is no reason to lose a report.
 */
export async function imageUnder(
  path: string,
  { grid }: FlatSlice,
  warnings: string[],
): Promise<Float32Array | undefined> {
  try {
    const { values, share } = await sampleImage(path, grid)
    if (share >= leastShare) return values
    warnings.push(`${path}: lies elsewhere than its mask (${Math.round(100 * share)} % of a slice); not drawn`)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    warnings.push(`${error.message}; not drawn`)
  }
  return undefined
}
