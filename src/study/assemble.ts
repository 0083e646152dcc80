import { join } from 'node:path'
import { writeAtomically } from '../formats/atomic-write.ts'
import { parseCsv } from '../formats/csv.ts'
import { InputError } from '../volume/errors.ts'
import { readCellFile } from './cell-file.ts'
import type { Cell, StudyPlan } from './plan.ts'
import { isFinished } from './run-study.ts'
import { csv, numberIn, parseScoresCsv, type ScoreRow, scoresCsv } from './score-table.ts'
import type { StudyFile } from './study-file.ts'
import { type ComparisonRow, compare, type SummaryRow, summarise } from './summary.ts'

/** Reliability of all maps of one loss (or of theory) at one organ and strength. */
export interface ReliabilityRow {
  readonly organ: string
  readonly sigma_mm: string
  readonly loss: string
  readonly bin: number
  readonly voxels: number
  readonly probability_sum: number
  readonly label_voxels: number
}

export interface StudyTables {
  readonly results: readonly ScoreRow[]
  readonly summary: readonly SummaryRow[]
  readonly comparisons: readonly ComparisonRow[]
  readonly reliability: readonly ReliabilityRow[]
}

/**
 * Gathers the scores of finished cells and writes `results.csv`, `summary.csv`, `comparisons.csv` and
 * `reliability.csv`. Everything follows from the cells: a second call writes the same bytes.
 *
 * @throws InputError where a cell is missing
 */
export async function assembleTables(study: StudyFile, plan: StudyPlan, folder: string): Promise<StudyTables> {
  const missing = plan.cells.filter((cell) => !isFinished(cell, folder)).length
  if (missing > 0) {
    const remedy = 'run the study again, it goes on where it was'
    throw new InputError(folder, `${missing} of ${plan.cells.length} cells are not finished; ${remedy}`)
  }
  const results: ScoreRow[] = []
  const reliability = new Map<string, ReliabilityRow>()
  for (const cell of plan.cells) {
    results.push(...(await readCellFile(join(folder, cell.path, 'scores.csv'), parseScoresCsv)))
    for (const row of await readCellFile(join(folder, cell.path, 'calibration.csv'), parseCalibrationCsv)) {
      addReliability(reliability, { ...row, loss: lossOf(cell) })
    }
  }
  const resamples = study.config.bootstrap
  const tables: StudyTables = {
    results,
    summary: summarise(results, resamples),
    comparisons: compare(results, resamples),
    reliability: [...reliability.values()],
  }
  const write = (name: string, text: string) => writeAtomically(join(folder, name), [Buffer.from(text)])
  await write('results.csv', withDataset(study.dataset.name, scoresCsv(results)))
  await write('summary.csv', table(study.dataset.name, tables.summary))
  await write('comparisons.csv', table(study.dataset.name, tables.comparisons))
  await write('reliability.csv', table(study.dataset.name, tables.reliability))
  return tables
}

/** `theory`, or the loss that the cell's network was trained with. */
export function lossOf({ work }: Cell): string {
  return work.kind === 'theory' ? 'theory' : work.loss
}

function parseCalibrationCsv(text: string): Omit<ReliabilityRow, 'loss'>[] {
  return parseCsv(text).map((row) => ({
    organ: row.organ,
    sigma_mm: row.sigma_mm,
    bin: numberIn(row, 'bin'),
    voxels: numberIn(row, 'voxels'),
    probability_sum: numberIn(row, 'probability_sum'),
    label_voxels: numberIn(row, 'label_voxels'),
  }))
}

function addReliability(all: Map<string, ReliabilityRow>, row: ReliabilityRow): void {
  const { organ, sigma_mm, loss, bin } = row
  const key = JSON.stringify([organ, sigma_mm, loss, bin])
  const { voxels, probability_sum, label_voxels } = all.get(key) ?? { voxels: 0, probability_sum: 0, label_voxels: 0 }
  all.set(key, {
    organ,
    sigma_mm,
    loss,
    bin,
    voxels: voxels + row.voxels,
    probability_sum: probability_sum + row.probability_sum,
    label_voxels: label_voxels + row.label_voxels,
  })
}

function table(dataset: string, rows: readonly object[]): string {
  const columns = ['dataset', ...Object.keys(rows[0] ?? {})]
  return csv(
    columns,
    rows.map((row) => ({ dataset, ...(row as Record<string, string | number>) })),
  )
}

function withDataset(dataset: string, text: string): string {
  const rows = parseCsv(text)
  const [head] = text.split('\r\n')
  return csv(
    ['dataset', ...head.split(',')],
    rows.map((row) => ({ dataset, ...row })),
  )
}
