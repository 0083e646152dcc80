import { imageOfCase } from '../../maps/case-file.ts'
import type { CaseMaps } from '../../maps/case-maps.ts'
import type { ClassScheme } from '../../maps/classes.ts'
import { readMaps } from '../../maps/read-maps.ts'
import type { Reference } from '../../maps/reference.ts'
import type { ReviewRow } from '../../maps/review.ts'
import { imageUnder } from '../image-under.ts'
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
  readonly images: string | undefined
  readonly reference: (source: CaseMaps, scheme: ClassScheme) => Promise<Reference | undefined>
  /** Takes what the user should know. */
  readonly warnings: string[]
}

/**
 * The slices of the masks that are to be drawn, in the order of `rows`. Those that were not kept are cut from maps that
 * are read again, each case once.
 */
export async function pictures(
  rows: readonly ReviewRow[],
  { known, slices, images, reference, warnings }: PictureSources,
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
  if (images === undefined) return shown
  const without: string[] = []
  const result: ChangeSlice[] = []
  for (const slice of shown) {
    const path = imageOfCase(images, slice.case)
    if (path === undefined) {
      if (!without.includes(slice.case)) without.push(slice.case)
      result.push(slice)
    } else result.push({ ...slice, image: await imageUnder(path, slice.slice, warnings) })
  }
  if (without.length > 0) {
    const of = without.length === 1 ? without[0] : `${without[0]} and ${without.length - 1} others`
    warnings.push(`${images}: holds no image of ${of} (CASE_0000.nii.gz or CASE.nii.gz); drawn without one`)
  }
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
