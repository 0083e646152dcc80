/** Text of a file for an error message: short, on one line, and without characters that a terminal obeys. */
export function legible(text: string): string {
  const shown = text.slice(0, 60).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
  return text.length > 60 ? `${shown}…` : shown
}

/** The same in quotation marks. */
export function quoted(text: string): string {
  return `"${legible(text)}"`
}
