/**
 * Characters that a terminal or a page obeys instead of showing: controls (ESC, new lines), invisible and direction
 * marks (U+202E and its kin), separators of lines, halves of characters. Not U+2060, which only keeps our own ranges
 * on one line.
 */
const unseen = /(?!\u2060)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Text with such characters spelt out, as in `a\u001b[31mb`: names of files and what files hold may have any. */
export function escaped(text: string): string {
  return text.replace(unseen, spelt)
}

/** `escaped` for text of several lines. */
export function escapedLines(text: string): string {
  return text.replace(unseen, (character) => (character === '\n' ? character : spelt(character)))
}

/** JSON in which such characters are spelt out; it means the same. */
export function legibleJson(value: unknown): string {
  return JSON.stringify(value).replace(unseen, spelt)
}

/** Text of a file for an error message: short, on one line, and without characters that a terminal obeys. */
export function legible(text: string): string {
  return text.length > 60 ? `${escaped(text.slice(0, 60))}…` : escaped(text)
}

/** The same in quotation marks. */
export function quoted(text: string): string {
  return `"${legible(text)}"`
}

/** As JSON and JavaScript spell it: the UTF-16 units. */
function spelt(character: string): string {
  if (character === '\n') return '\\n'
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('')
}
