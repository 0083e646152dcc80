import { formatCsv } from '../../formats/csv.ts'

export interface Column {
  /** The key in a row. */
  readonly key: string
  /** The heading for people, with its unit. Default: the key. */
  readonly title?: string
  /** Decimals for numbers in HTML and LaTeX; CSV keeps every digit. Default 3. */
  readonly decimals?: number
  /** How a cell reads in HTML and LaTeX, where decimals do not say it; CSV keeps the value. */
  readonly show?: (value: string | number, row: Row) => string
}

export type Cell = string | number | undefined

/** A row by the keys of its columns; what no column names is for `show`. */
export type Row = Readonly<Record<string, Cell>>

/** A table as data. A missing or NaN cell is shown as an en dash, and is empty in CSV. */
export interface Table {
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
}

/**
 * CSV as RFC 4180 has it: keys as the header, CRLF, quotes where needed, all digits of every number.
 *
 * @example
 * const columns = [{ key: 'case' }, { key: 'dice' }]
 * tableCsv({ columns, rows: [{ case: 'a', dice: 0.9 }] }) // 'case,dice\r\na,0.9\r\n'
 */
export function tableCsv({ columns, rows }: Table): string {
  return formatCsv(
    columns.map(({ key }) => key),
    rows,
  )
}

/**
 * A LaTeX `tabular` with booktabs rules; text is escaped, cells read as on the page.
 *
 * @example
 * tableLatex({ columns: [{ key: 'case' }], rows: [{ case: 'a' }] }).startsWith('\\begin{tabular}') // true
 */
export function tableLatex({ columns, rows }: Table): string {
  const numeric = columns.map(({ key }) => rows.some((row) => typeof row[key] === 'number'))
  const line = (cells: readonly string[]): string => `${cells.join(' & ')} \\\\`
  return [
    `\\begin{tabular}{${numeric.map((n) => (n ? 'r' : 'l')).join('')}}`,
    '\\toprule',
    line(columns.map((c) => latexText(c.title ?? c.key))),
    '\\midrule',
    ...rows.map((row) => line(columns.map((c) => latexText(cellText(row[c.key], c, row))))),
    '\\bottomrule',
    '\\end{tabular}',
    '',
  ].join('\n')
}

/** The cell as people read it. */
export function cellText(value: Cell, column: Column, row: Row = {}): string {
  if (isMissing(value)) return '–'
  if (column.show) return column.show(value, row)
  if (typeof value === 'string') return value
  return value
    .toFixed(column.decimals ?? 3)
    .replace(/^-(?=0\.?0*$)/, '')
    .replace('-', '−')
}

function isMissing(value: Cell): value is undefined {
  return value === undefined || (typeof value === 'number' && Number.isNaN(value))
}

const latex: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '{': '\\{',
  '}': '\\}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '–': '--',
  '−': '$-$',
  '½': '$\\frac12$',
  σ: '$\\sigma$',
  ℓ: '$\\ell$',
  '‖': '$\\|$',
  '×': '$\\times$',
  '±': '$\\pm$',
  '³': '$^3$',
  '≤': '$\\le$',
  '<': '$<$',
  '>': '$>$',
}

function latexText(text: string): string {
  return text.replace(/[\\{}~^–−½σℓ‖×±³≤<>]|[#$%&_]/g, (c) => latex[c] ?? `\\${c}`)
}
