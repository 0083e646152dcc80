import { escaped, escapedLines, legibleJson } from '../formats/legible.ts'

/** One cell: text is set left, a number (already formatted, see `fixed`) right; undefined prints as a dash. */
export type Cell = string | number | undefined

/** An aligned table: a column is set right when all its cells are numbers. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const text = rows.map((row) => row.map((cell) => (cell === undefined ? '–' : escaped(String(cell)))))
  const right = header.map((_, c) => rows.every((row) => typeof row[c] !== 'string' || numeric(row[c])))
  const width = header.map((name, c) => Math.max(name.length, ...text.map((row) => row[c].length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => (right[c] ? cell.padStart(width[c]) : cell.padEnd(width[c])))
      .join('  ')
      .trimEnd()
  return [line(header), ...text.map(line)].join('\n')
}

/** A number with `digits` decimals; a dash where there is none. */
export function fixed(value: number | null | undefined, digits: number): string {
  return value === undefined || value === null || !Number.isFinite(value) ? '–' : value.toFixed(digits)
}

/** A volume in ml with as many decimals as its size deserves: 1234, 56.7, 8.90, 0.0123. */
export function millilitres(value: number): string {
  if (value === 0) return '0'
  return value >= 1000 ? value.toFixed(0) : value >= 0.1 ? value.toPrecision(3) : value.toPrecision(2)
}

/** The same, with a dash where there is no number. */
export function millilitresOr(value: number | undefined): string {
  return value === undefined ? '–' : millilitres(value)
}

/** A share as a percentage that never rounds a positive number to zero. */
export function percent(share: number): string {
  if (share > 0 && share < 1e-6) return '< 0.0001 %'
  return `${Number((100 * share).toPrecision(2))} %`
}

/** Prints one JSON object, or the text for people where there is some. Non-finite numbers become null in JSON. */
export function printResult(json: boolean | undefined, result: object, text: () => string | undefined): void {
  const shown = json || quiet ? undefined : text()
  const line = json ? legibleJson(result) : shown && escapedLines(shown)
  if (line !== undefined) process.stdout.write(`${line}\n`)
}

/** A warning for people, on standard error, so that it never mixes with a result. */
export function warn(text: string): void {
  if (!quiet) tell(`warning: ${text}`)
}

/** One line `halfdice: …` on standard error, whatever characters the names in it have. */
export function tell(text: string): void {
  process.stderr.write(`halfdice: ${escaped(text)}\n`)
}

let quiet = false

/** `-q`: from now on, errors and asked-for JSON only. */
export function beQuiet(): void {
  quiet = true
}

export function isQuiet(): boolean {
  return quiet
}

function numeric(cell: string): boolean {
  return /^(–|0|[-+<]?\s*\d[\d.e+-]*( %)?)$/.test(cell)
}
