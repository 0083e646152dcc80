import { csvFormatRow, csvParseRows } from 'd3-dsv'

/** Text is written as it is, numbers with all their digits; what is missing or no number is an empty cell. */
export type CsvCell = string | number | undefined

/**
 * A table as CSV (RFC 4180: a header line, CRLF, quotes where needed). A text that a spreadsheet would run as a formula
 * (it begins with = + - @ and is no number) gets an apostrophe in front, which `parseCsv` takes off again.
 */
export function formatCsv(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, CsvCell>>[],
  format: (value: number) => string = String,
): string {
  const cell = (value: CsvCell): string => {
    if (value === undefined) return ''
    if (typeof value === 'string') return harmless(value)
    return Number.isFinite(value) ? format(value) : ''
  }
  const lines = [columns.map(harmless), ...rows.map((row) => columns.map((key) => cell(row[key])))]
  return lines.map((line) => `${csvFormatRow(line)}\r\n`).join('')
}

/** The rows of a CSV text by column name. */
export function parseCsv(text: string): Record<string, string>[] {
  const [head = [], ...rows] = csvParseRows(text, (row) => row.map((cell) => cell.replace(/^'(?='*[=+\-@\t\r])/, '')))
  return rows.map((row) => Object.fromEntries(head.map((key, i) => [key, row[i] ?? ''])))
}

function harmless(text: string): string {
  const formula = /^'*[=+\-@\t\r]/.test(text) && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)
  return formula ? `'${text}` : text
}
