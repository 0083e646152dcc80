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
