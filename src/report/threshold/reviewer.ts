import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { PresenceRule } from '../../decision/decode/presence.ts'
import { writeTextAtomically } from '../../formats/atomic-write.ts'
import type { CaseMaps } from '../../maps/case-maps.ts'
import type { ClassScheme } from '../../maps/classes.ts'
import { readReference } from '../../maps/reference.ts'
import { ReviewCollector } from '../../maps/review.ts'
import type { CaseReview } from '../../maps/threshold-cases.ts'
import { CutTable } from '../../metrics/cut-table.ts'
import { InputError } from '../../volume/errors.ts'
import { tableCsv } from '../kit/table.ts'
import { type ChangeSlice, ChangeSlices, changeSlice } from './change-slices.ts'
import { reviewTable, thresholdReport } from './report.ts'

/** Slices drawn on the page: three rows. */
const slicesShown = 12

/** Looks on while cases are decoded, and writes the report in the end. */
export interface Reviewer {
  /** Before a case; reads its reference. Throws InputError where that is missing or does not fit. */
  begin(source: CaseMaps, scheme: ClassScheme): Promise<CaseReview>
  /** Writes the page and its CSV; returns what `--json` tells about the references. */
  finish(failures: readonly string[]): Promise<object | undefined>
}

/** What a review is of, and where its page goes. */
export interface ReviewOptions {
  /** The page, ending in .html; its CSV is written beside it. */
  readonly report?: string | undefined
  /** A folder of label maps called like the cases. */
  readonly references?: string | undefined
  readonly scope: 'case' | 'dataset'
  readonly presence: PresenceRule
  /** The program's version, for the page's foot. */
  readonly version: string
}

/** The two files of a report. Throws InputError where the name is not that of a page. */
export function reportFiles(report: string): { readonly page: string; readonly csv: string } {
  const csv = report.replace(/\.html?$/i, '.csv')
  if (csv === report) throw new InputError(report, 'is no name for a page; end it in .html')
  return { page: report, csv }
}

/** Starts a review. */
export function startReview({ report, references, scope, presence, version }: ReviewOptions): Reviewer {
  const files = report === undefined ? undefined : reportFiles(report)
  if (references !== undefined && !isFolder(references)) {
    throw new InputError(references, 'is no folder of reference masks; give one')
  }
  const collector = new ReviewCollector(presence)
  const slices = new ChangeSlices(slicesShown)
  const notes = new Set<string>()
  return {
    async begin(source, scheme) {
      const classes = scheme.maps.filter((each) => each !== undefined)
      const path = references === undefined ? undefined : referenceOf(source, references)
      const read = path === undefined ? undefined : await readReference(path, source, { ...scheme, classes })
      const reference = read?.values
      // Of many cases with the same labels one is enough.
      const note = read?.note === undefined || notes.has(read.note) ? undefined : `${path}: ${read.note}`
      if (read?.note !== undefined) notes.add(read.note)
      const tables: CutTable[] = []
      const drawn: ChangeSlice[] = []
      return {
        note,
        inspect(index, map, cut) {
          const own = scheme.maps[index]
          if (!own) return
          if (reference) {
            tables[index] = new CutTable()
            tables[index].add(map, reference, (label) => own.labels.includes(label))
          }
          const { threshold, volume, volumeHalf } = cut
          const change = volume + volumeHalf === 0 ? 0 : 1 - (2 * Math.min(volume, volumeHalf)) / (volume + volumeHalf)
          if (volume === 0 || !slices.wants(change)) return
          const { grid } = source
          const title = `${source.name}, ${own.name}`
          drawn.push(
            changeSlice({
              title,
              change,
              located: source.hasGeometry,
              grid,
              map,
              threshold,
              reference,
              labels: own.labels,
            }),
          )
        },
        // Only now is the case done: one that had to wait for others is decoded again.
        end(decoded) {
          for (const slice of drawn) slices.add(slice)
          collector.add({ source, scheme, decoded, reference, tables })
        },
      }
    },
    async finish(failures) {
      const review = collector.finish()
      if (files) {
        const html = thresholdReport({ review, slices: slices.slices, failures, scope, version })
        await writeTextAtomically(files.csv, tableCsv(reviewTable(review.rows)))
        await writeTextAtomically(files.page, html)
      }
      if (review.comparisons.length === 0) return undefined
      return {
        classes: review.comparisons.map(({ class: name, comparison }) => ({
          name,
          cases: comparison.cases.length,
          meanDice: comparison.means,
          differenceToHalf: comparison.differences,
          fixedThreshold: comparison.fixedThreshold,
          calibration: comparison.calibration,
          calibrationError: comparison.calibrationError,
        })),
      }
    },
  }
}

/** The file of a case's reference. */
function referenceOf(source: CaseMaps, folder: string): string {
  const endings = ['.nii.gz', '.nii', '.nrrd', '.mha', '.mhd', '.hdr']
  const path = endings.map((ending) => join(folder, source.name + ending)).find(existsSync)
  if (path === undefined) {
    throw new InputError(
      source.input,
      `has no reference ${source.name}.nii.gz in ${folder}; add it or leave the case out`,
    )
  }
  return path
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory()
}
