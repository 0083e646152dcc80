import { type OpenedCase, openCase } from '../../maps/open-case.ts'
import { readMaps } from '../../maps/read-maps.ts'
import { readReference } from '../../maps/reference.ts'
import type { ReviewRow } from '../../maps/review.ts'
import type { ThresholdRun } from '../../maps/threshold-cases.ts'
import type { Images } from '../image-under.ts'
import { type ChangeSlice, changeSlice } from './change-slices.ts'

type Cut = ThresholdRun['cases'][number]

/** The slices of the masks that are to be drawn, in the order of `rows`, from their maps once more, each case once. */
export async function pictures(
  rows: readonly ReviewRow[],
  cases: readonly Cut[],
  images: Images,
): Promise<ChangeSlice[]> {
  const found = new Map<ReviewRow, ChangeSlice>()
  for (const one of cases) {
    const wanted = rows.filter((row) => row.case === one.rows[0]?.case)
    if (wanted.length === 0) continue
    for (const [row, slice] of await slicesOf(wanted, one)) found.set(row, slice)
  }
  const shown = rows.flatMap((row) => found.get(row) ?? [])
  const result: ChangeSlice[] = []
  for (const each of shown) result.push({ ...each, image: await images.under(each.case, each.slice) })
  return result
}

/** The slices of a case's masks. */
async function slicesOf(rows: readonly ReviewRow[], { job, changes }: Cut): Promise<[ReviewRow, ChangeSlice][]> {
  const { source, scheme } = await openCase(job.found, job.opening)
  const reference = await referenceOf({ source, scheme }, job.reference)
  const result: [ReviewRow, ChangeSlice][] = []
  let index = -1
  for await (const map of readMaps(source, scheme)) {
    const own = scheme.maps[++index]
    const cut = changes.find((each) => each.class === own?.name)
    const row = rows.find((each) => each.class === own?.name)
    if (!own || !cut || !row) continue
    const { grid, hasGeometry: located } = source
    result.push([row, changeSlice({ ...cut, case: source.name, located, grid, map, reference, labels: own.labels })])
    if (result.length === rows.length) break
  }
  return result
}

async function referenceOf({ source, scheme }: OpenedCase, path: string | undefined) {
  if (path === undefined) return undefined
  return (await readReference(path, source, scheme)).values
}
