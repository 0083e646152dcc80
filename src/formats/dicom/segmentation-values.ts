import { createHash } from 'node:crypto'
import { escaped } from '../legible.ts'
import type { NewElement } from './elements.ts'

type TextElement = Extract<NewElement, { readonly value: string }>

/** An element of text. */
export function text(tag: number, vr: TextElement['vr'], value: string): NewElement {
  return { tag, vr, value }
}

/** The character set that texts are written in, where they need one. */
export function characterSet(all: readonly string[]): NewElement[] {
  return all.every((one) => /^[\x20-\x7e]*$/.test(one)) ? [] : [text(0x00080005, 'CS', 'ISO_IR 192')]
}

/** A number as DS has it: at most 16 characters (PS3.5, 6.2), all digits where they fit. */
export function decimal(value: number): string {
  const candidates = [String(value), value.toExponential()]
  for (let digits = 16; digits > 0; digits--) candidates.push(String(Number(value.toPrecision(digits))))
  return candidates.find((one) => one.length <= 16) ?? '0'
}

/** A segment's label: 64 characters of one line; a backslash would begin another value. */
export function label(name: string): string {
  return [...escaped(name).replaceAll('\\', '/').trim()].slice(0, 64).join('') || 'segment'
}

/** An item of a code sequence. */
export function code(value: string, scheme: string, meaning: string): NewElement[] {
  return [text(0x00080100, 'SH', value), text(0x00080102, 'SH', scheme), text(0x00080104, 'LO', meaning)]
}

/**
 * Identifiers drawn from a digest of the content: UUIDs (version 8, RFC 9562) as PS3.5, B.2 writes them, one for each
 * name.
 */
export function derivedUid(digest: Uint8Array): (name: string) => string {
  return (name) => {
    const bytes = createHash('sha256').update(digest).update(new TextEncoder().encode(name)).digest()
    bytes[6] = (bytes[6] & 0x0f) | 0x80
    bytes[8] = (bytes[8] & 0x3f) | 0x80
    let number = 0n
    for (let n = 0; n < 16; n++) number = (number << 8n) | BigInt(bytes[n])
    return `2.25.${number}`
  }
}

/**
 * A colour of sRGB as scaled CIELab values (PS3.3, C.10.7.1.1). White is sRGB's own, D65, as DCMTK and those who follow
 * it read the values (3D Slicer, OHIF); seen from the D50 of the standard the hue is a little off.
 */
export function cieLab(colour: readonly [red: number, green: number, blue: number]): readonly number[] {
  const [r, g, b] = colour.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  const x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047
  const y = 0.2126729 * r + 0.7151522 * g + 0.072175 * b
  const z = (0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883
  const [fx, fy, fz] = [x, y, z].map((t) => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29))
  const scaled = [(116 * fy - 16) / 100, (500 * (fx - fy) + 128) / 255, (200 * (fy - fz) + 128) / 255]
  return scaled.map((part) => Math.round(65_535 * Math.min(1, Math.max(0, part))))
}
