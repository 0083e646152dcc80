/** `1 case`, `2 cases`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

/** A noise strength as people read it: `8 × 8 × 0` for the `8x8x0` of folders and CSV files. */
export function strengthText(sigma: string): string {
  return sigma.replaceAll('x', ' × ')
}

/** A p-value with four decimals. It never reads as zero: no test proves that much. */
export function pText(p: number): string {
  return p < 0.0001 ? '< 0.0001' : p.toFixed(4)
}

/** A difference with its sign, by a true minus; none where it rounds to 0. */
export function signed(value: number, digits = 3): string {
  const text = Math.abs(value).toFixed(digits)
  return Number(text) === 0 ? text : value < 0 ? `−${text}` : `+${text}`
}

/** A range that no line break parts (U+2060 joins words). */
export function range(low: number, high: number, digits = 2): string {
  return `${low.toFixed(digits)}\u2060–\u2060${high.toFixed(digits)}`
}
