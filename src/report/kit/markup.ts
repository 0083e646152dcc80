import { escapedLines } from '../../formats/legible.ts'

/** Attribute values; `undefined` leaves the attribute out. Numbers are written with at most two decimals. */
export type Attributes = Readonly<Record<string, string | number | undefined>>

/** One element as a string, valid both as XML (SVG) and as HTML. `children` is markup already. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  let open = `<${name}`
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) open += ` ${key}="${escapeText(typeof value === 'number' ? short(value) : value)}"`
  }
  if (children.length === 0 && !htmlPaired.has(name)) return `${open}/>`
  return `${open}>${children.join('')}</${name}>`
}

/** HTML elements that must have an end tag even when empty. */
const htmlPaired = new Set(['a', 'div', 'p', 'section', 'span', 'td', 'th', 'script', 'style', 'figcaption'])

/** Text made safe as element content and as an attribute value; characters that nobody sees are spelt out. */
export function escapeText(text: string): string {
  return escapedLines(text)
    .replace(forbidden, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** What XML forbids beside control characters. */
const forbidden = /[\ufffe\uffff]/g

/** A coordinate: two decimals are a fiftieth of a pixel at most zooms, and keep files small. */
export function short(value: number): string {
  const rounded = Math.round(value * 100) / 100
  return Object.is(rounded, -0) ? '0' : String(rounded)
}

/** A width estimate for text in the report's sans-serif face, px: enough to lay out legends and margins. */
export function textWidth(text: string, fontPx: number): number {
  let em = 0
  for (const c of text) {
    em += /[ilj.,:;|'!() ]/.test(c) ? 0.35 : /[mwMW@%—]/.test(c) ? 0.95 : /[A-Z0-9½σΣ]/.test(c) ? 0.66 : 0.58
  }
  return em * fontPx
}
