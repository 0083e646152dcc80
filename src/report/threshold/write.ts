import { writeTextAtomically } from '../../formats/atomic-write.ts'
import type { ThresholdReview } from '../../maps/review.ts'
import type { ThresholdRun } from '../../maps/threshold-cases.ts'
import { Images } from '../image-under.ts'
import { tableCsv } from '../kit/table.ts'
import { pageEnding, pageFile } from '../page-file.ts'
import { pictures } from './pictures.ts'
import { reviewTable, thresholdReport } from './report.ts'

/** Slices drawn on the page: three rows of four. */
const slicesShown = 12

/** What a report is of, and where its page goes. */
export interface ThresholdReportOptions {
  /** The page, ending in .html; its CSV is written beside it. */
  readonly report: string
  readonly review: ThresholdReview
  readonly cases: ThresholdRun['cases']
  /** What could not be done, and why. */
  readonly failures: readonly string[]
  /** The images that the maps were computed from, to draw the masks over. */
  readonly images: Images
  readonly scope: 'case' | 'dataset'
  /** How masks were made that were not cut at t*, in words; undefined where they were. */
  readonly otherwise?: string | undefined
  /** The program's version, for the page's foot. */
  readonly version: string
}

/** The two files of a report. Throws InputError where the name is not that of a page. */
export function reportFiles(report: string): { readonly page: string; readonly csv: string } {
  return { page: pageFile(report), csv: report.replace(pageEnding, '.csv') }
}

/** Writes the page and its CSV. The maps of the cases that are drawn are read again. */
export async function writeThresholdReport(options: ThresholdReportOptions): Promise<void> {
  const { report, review, cases, failures, images, scope, otherwise, version } = options
  const slices = await pictures(review.rows.slice(0, slicesShown), cases, images)
  const { page, csv } = reportFiles(report)
  await writeTextAtomically(csv, tableCsv(reviewTable(review.rows)))
  await writeTextAtomically(page, thresholdReport({ review, slices, failures, scope, otherwise, version }))
}

/** The folder of the images. Throws InputError where it is none. */
export function imagesIn(folder: string | undefined): Images {
  return new Images(folder)
}
