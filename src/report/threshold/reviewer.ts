import { several } from '../../datasets/image-folder.ts'
import type { PresenceRule } from '../../decision/decode/presence.ts'
import { writeTextAtomically } from '../../formats/atomic-write.ts'
import type { CaseMaps } from '../../maps/case-maps.ts'
import type { ClassScheme, MapClass } from '../../maps/classes.ts'
import { readReference } from '../../maps/reference.ts'
import { ReviewCollector } from '../../maps/review.ts'
import type { CaseReview } from '../../maps/threshold-cases.ts'
import { CutTable } from '../../metrics/cut-table.ts'
import { Images } from '../image-under.ts'
import { tableCsv } from '../kit/table.ts'
import { pageEnding, pageFile } from '../page-file.ts'
import { type ChangeSlice, ChangeSlices, changeSlice } from './change-slices.ts'
import { type KnownCase, pictures } from './pictures.ts'
import { reviewTable, thresholdReport } from './report.ts'

/** Slices drawn on the page: three rows of four. */
const slicesShown = 12

/** Looks on while cases are decoded, and writes the report in the end. */
export interface Reviewer {
  /** Before a case; reads its reference, where it has one. Throws InputError where that does not fit. */
  begin(source: CaseMaps, scheme: ClassScheme): Promise<CaseReview>
  /** Writes the page and its CSV. */
  finish(failures: readonly string[]): Promise<ReviewOutcome>
}

export interface ReviewOutcome {
  /** What `--json` tells about the references. */
  readonly references: object | undefined
  /** What the user should know of the pictures. */
  readonly warnings: readonly string[]
}

/** What a review is of, and where its page goes. */
export interface ReviewOptions {
  /** The page, ending in .html; its CSV is written beside it. */
  readonly report?: string | undefined
  /** The label map of each case that has one, by the case's name. */
  readonly references?: ReadonlyMap<string, string> | undefined
  /** A folder of the images that the maps were computed from, to draw the masks over. */
  readonly images?: string | undefined
  readonly scope: 'case' | 'dataset'
  readonly presence: PresenceRule
  /** The program's version, for the page's foot. */
  readonly version: string
}

/** The two files of a report. Throws InputError where the name is not that of a page. */
export function reportFiles(report: string): { readonly page: string; readonly csv: string } {
  return { page: pageFile(report), csv: report.replace(pageEnding, '.csv') }
}

/** Starts a review. */
export function startReview({ report, references, images, scope, presence, version }: ReviewOptions): Reviewer {
  const files = report === undefined ? undefined : reportFiles(report)
  const under = new Images(images)
  const collector = new ReviewCollector(presence)
  const slices = new ChangeSlices(slicesShown)
  const known: KnownCase[] = []
  const notes = new Set<string>()
  /** Cases that have no reference. */
  const without = new Set<string>()
  const referenceIn = async (source: CaseMaps, scheme: ClassScheme) => {
    const path = references?.get(source.name)
    if (path === undefined) {
      if (references !== undefined) without.add(source.name)
      return undefined
    }
    const classes = scheme.maps.filter((each) => each !== undefined)
    return { path, ...(await readReference(path, source, { ...scheme, classes })) }
  }
  const warnings = () => {
    const names = [...without]
    const missing = `${names.length} ${names.length === 1 ? 'case has' : 'cases have'} no reference: ${several(names)}`
    return [...(names.length > 0 ? [`${missing}; the masks are written, and not scored`] : []), ...under.warnings]
  }
  return {
    async begin(source, scheme) {
      const read = await referenceIn(source, scheme)
      const reference = read?.values
      // Of many cases with the same labels one is enough.
      const note = read?.note === undefined || notes.has(read.note) ? undefined : `${read.path}: ${read.note}`
      if (read?.note !== undefined) notes.add(read.note)
      const tables: CutTable[] = []
      const cuts: KnownCase['cuts'] = []
      const drawn: ChangeSlice[] = []
      return {
        note,
        inspect(index, map, { threshold, volume, volumeHalf }) {
          const own: MapClass | undefined = scheme.maps[index]
          if (!own) return
          if (reference) {
            tables[index] = new CutTable()
            tables[index].add(map, reference, (label) => own.labels.includes(label))
          }
          const change = volume + volumeHalf === 0 ? 0 : 1 - (2 * Math.min(volume, volumeHalf)) / (volume + volumeHalf)
          const cut = { case: source.name, class: own.name, threshold, change }
          cuts[index] = cut
          if (volume === 0 || !slices.wants(change)) return
          const { grid, hasGeometry: located } = source
          drawn.push(changeSlice({ ...cut, located, grid, map, reference, labels: own.labels }))
        },
        // Only now is the case done: one that had to wait for others is decoded again.
        end(decoded) {
          for (const slice of drawn) slices.add(slice)
          known.push({ source, scheme, cuts })
          collector.add({ source, scheme, decoded, reference, tables })
        },
      }
    },
    async finish(failures) {
      const review = collector.finish()
      if (files) {
        const wanted = review.rows.slice(0, slicesShown)
        const shown = await pictures(wanted, { known, slices, images: under, reference: referenceIn })
        const html = thresholdReport({ review, slices: shown, failures, scope, version })
        await writeTextAtomically(files.csv, tableCsv(reviewTable(review.rows)))
        await writeTextAtomically(files.page, html)
      }
      if (review.comparisons.length === 0) return { references: undefined, warnings: warnings() }
      const classes = review.comparisons.map(({ class: name, comparison }) => ({
        name,
        cases: comparison.cases.length,
        meanDice: comparison.means,
        differenceToHalf: comparison.differences,
        fixedThreshold: comparison.fixedThreshold,
        calibration: comparison.calibration,
        calibrationError: comparison.calibrationError,
      }))
      return { references: { classes }, warnings: warnings() }
    },
  }
}
