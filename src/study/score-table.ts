import { formatCsv, parseCsv } from '../formats/csv.ts'

/** One row of results.csv without the data set's name: one mask of one case. */
export interface ScoreRow {
  readonly organ: string
  readonly sigma_mm: string
  readonly length_mm: number
  readonly fold: number
  /** Which draw of noise and training, from 0. */
  readonly replicate: number
  readonly loss: string
  readonly method: string
  readonly case: string
  readonly patient: string
  readonly threshold: number
  readonly dice_noisy: number
  readonly dice_clean: number
  /** Voxels of the mask over voxels of the clean label. */
  readonly volume_ratio: number
  /** Soft Dice of the mask under the probability map itself. */
  readonly soft_dice: number
  /** Of the probability map against the noisy label, in the organ's neighbourhood. */
  readonly ece: number
  readonly brier: number
  readonly nll: number
}

const scoreColumns = [
  'organ',
  'sigma_mm',
  'length_mm',
  'fold',
  'replicate',
  'loss',
  'method',
  'case',
  'patient',
  'threshold',
  'dice_noisy',
  'dice_clean',
  'volume_ratio',
  'soft_dice',
  'ece',
  'brier',
  'nll',
] as const satisfies readonly (keyof ScoreRow)[]

const textColumns: ReadonlySet<string> = new Set(['organ', 'sigma_mm', 'loss', 'method', 'case', 'patient'])

/** Rows as CSV (RFC 4180): numbers with seven digits, which is more than a float32 map can tell. */
export function scoresCsv(rows: readonly ScoreRow[]): string {
  return csv(scoreColumns, rows as readonly unknown[] as readonly Record<string, string | number>[])
}

/** The inverse of `scoresCsv`. Throws a SyntaxError where a number or a column is missing. */
export function parseScoresCsv(text: string): ScoreRow[] {
  return parseCsv(text).map((row) => {
    const typed = scoreColumns.map((key) => [key, textColumns.has(key) ? row[key] : numberIn(row, key)])
    return Object.fromEntries(typed) as ScoreRow
  })
}

/** The number in a cell of a row that this program wrote. Throws a SyntaxError where there is none. */
export function numberIn(row: Readonly<Record<string, string>>, key: string): number {
  const text = row[key] ?? ''
  const value = Number(text)
  if (text === '' || Number.isNaN(value)) throw new SyntaxError(`${key}: no number`)
  return value
}

/** A table with a header line. */
export function csv(columns: readonly string[], rows: readonly Readonly<Record<string, string | number>>[]): string {
  return formatCsv(columns, rows, (value) => String(Number(value.toPrecision(7))))
}
