import type { CaseMaps } from '../../maps/case-maps.ts'
import type { ClassScheme } from '../../maps/classes.ts'
import { readMaps } from '../../maps/read-maps.ts'
import type { Reference } from '../../maps/reference.ts'
import type { ReviewRow } from '../../maps/review.ts'
import type { Images } from '../image-under.ts'
import { type ChangeSlice, type ChangeSlices, changeSlice, type DrawnCut } from './change-slices.ts'

/** A case that was reviewed, and how each of its maps was cut. */
export interface KnownCase {
  readonly source: CaseMaps
  readonly scheme: ClassScheme
  /** By map; nothing for the background. */
  readonly cuts: DrawnCut[]
}

export interface PictureSources {
  readonly known: readonly KnownCase[]
  /** Slices that were kept when their maps went by. */
  readonly slices: ChangeSlices
  readonly images: Images
  readonly reference: (source: CaseMaps, scheme: ClassScheme) => Promise<Reference | undefined>
}

/**
 * The slices of the masks that are to be drawn, in the order of `rows`. Those that were not kept are cut from maps that
 * are read again, each case once.
 */
export async function pictures(
  rows: readonly ReviewRow[],
  { known, slices, images, reference }: PictureSources,
): Promise<ChangeSlice[]> {
  const found = new Map<ReviewRow, ChangeSlice>()
  for (const one of known) {
    const own = rows.filter((row) => row.case === one.source.name)
    for (const row of own) {
      const kept = slices.find(row.case, row.class)
      if (kept) found.set(row, kept)
    }
    const missing = own.filter((row) => !found.has(row))
    if (missing.length === 0) continue
    const labels = (await reference(one.source, one.scheme))?.values
    for (const [row, slice] of await cutAgain(missing, one, labels)) found.set(row, slice)
  }
  const shown = rows.flatMap((row) => found.get(row) ?? [])
  const result: ChangeSlice[] = []
  for (const each of shown) result.push({ ...each, image: await images.under(each.case, each.slice) })
  return result
}

/** The slices of a case's masks, from its maps once more. */
async function cutAgain(
  rows: readonly ReviewRow[],
  { source, scheme, cuts }: KnownCase,
  reference: Reference['values'] | undefined,
): Promise<[ReviewRow, ChangeSlice][]> {
  const result: [ReviewRow, ChangeSlice][] = []
  let index = -1
  for await (const map of readMaps(source, scheme)) {
    const own = scheme.maps[++index]
    const cut = cuts[index]
    const row = rows.find((each) => each.class === own?.name)
    if (!own || !cut || !row) continue
    const { grid, hasGeometry: located } = source
    result.push([row, changeSlice({ ...cut, located, grid, map, reference, labels: own.labels })])
    if (result.length === rows.length) break
  }
  return result
}
