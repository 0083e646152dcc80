import type { Bytes } from '../volume/bytes.ts'
import { labelColour } from './label-colours.ts'
import type { NiftiHeader } from './nifti-fields.ts'

/**
 * Names of labels in a NIfTI header: an extension of XML with a table of labels, as Caret and the Connectome Workbench
 * have it (`CaretExtension`, `LabelTable`) and TotalSegmentator writes it, under code 0.
 */
export function niftiLabelNames(header: NiftiHeader): ReadonlyMap<number, string> | undefined {
  const table = extensionsOf(header).find(isLabelTable)
  return table && namesIn(textOf(table))
}

/**
 * A header with these names of labels in place of its own: of none, without a table. Its other extensions stay. Where
 * the names are those that it has, it is returned as it is, with their colours.
 */
export function withNiftiLabelNames(header: NiftiHeader, names: ReadonlyMap<number, string>): NiftiHeader {
  const own = niftiLabelNames(header)
  if (own === undefined ? names.size === 0 : isSame(own, names)) return header
  const others = extensionsOf(header).filter((each) => !isLabelTable(each))
  // First, where TotalSegmentator looks.
  const all = [...(names.size > 0 ? [labelTable(names, header.littleEndian)] : []), ...others.map(({ bytes }) => bytes)]
  const extension = new Uint8Array(4 + all.reduce((sum, bytes) => sum + bytes.length, 0))
  extension[0] = all.length > 0 ? 1 : 0
  let at = 4
  for (const bytes of all) {
    extension.set(bytes, at)
    at += bytes.length
  }
  return { ...header, extension }
}

/** One extension: its bytes, with the eight of its size and code. */
interface Extension {
  readonly code: number
  readonly bytes: Uint8Array
}

/** The extensions of a header, up to the first one whose size cannot be. */
function extensionsOf({ extension, littleEndian }: NiftiHeader): Extension[] {
  const found: Extension[] = []
  if (extension.length < 4 || extension[0] === 0) return found
  const view = new DataView(extension.buffer, extension.byteOffset, extension.byteLength)
  for (let at = 4; at + 8 <= extension.length; ) {
    const size = view.getInt32(at, littleEndian)
    if (size < 16 || size % 16 !== 0 || at + size > extension.length) break
    found.push({ code: view.getInt32(at + 4, littleEndian), bytes: extension.subarray(at, at + size) })
    at += size
  }
  return found
}

/** A table of all labels there can be has some megabytes; other XML (CIFTI's) may have more, and is none. */
const mostTableBytes = 1 << 23

function isLabelTable({ code, bytes }: Extension): boolean {
  // 30 is Caret's own code.
  if ((code !== 0 && code !== 30) || bytes.length > mostTableBytes) return false
  const text = textOf({ code, bytes })
  return text.includes('<CaretExtension') && text.includes('<LabelTable')
}

function textOf({ bytes }: Extension): string {
  return new TextDecoder().decode(bytes.subarray(8))
}

/** The names of a table, up to where its XML is damaged. One pass: a file may be made to be slow. */
function namesIn(xml: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>()
  let at = xml.indexOf('<LabelTable')
  for (;;) {
    const start = xml.indexOf('<Label ', at)
    const end = xml.indexOf('>', start)
    if (start < 0 || end < 0) return names
    const attributes = xml.slice(start, end)
    const content = attributes.endsWith('/') ? { text: '', end: end + 1 } : contentAt(xml, end + 1)
    if (content === undefined) return names
    const key = Number(/\sKey="(\d{1,5})"/.exec(attributes)?.[1])
    const name = content.text.trim()
    if (key <= 65_535 && name !== '') names.set(key, name)
    at = content.end
  }
}

/** Text and CDATA up to the next tag. */
function contentAt(xml: string, start: number): { readonly text: string; readonly end: number } | undefined {
  const open = '<![CDATA['
  const close = ']]>'
  let text = ''
  let at = start
  for (;;) {
    const tag = xml.indexOf('<', at)
    if (tag < 0) return undefined
    text += unescaped(xml.slice(at, tag))
    if (!xml.startsWith(open, tag)) return { text, end: tag }
    const end = xml.indexOf(close, tag)
    if (end < 0) return undefined
    text += xml.slice(tag + open.length, end)
    at = end + close.length
  }
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescaped(text: string): string {
  return text.replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole)
}

function isSame(a: ReadonlyMap<number, string>, b: ReadonlyMap<number, string>): boolean {
  return a.size === b.size && [...a].every(([label, name]) => b.get(label) === name)
}

function labelTable(names: ReadonlyMap<number, string>, littleEndian: boolean): Bytes {
  const rows = [...names]
    .sort(([a], [b]) => a - b)
    .map(([label, name]) => {
      const [red, green, blue] = labelColour(label)
      const raw = name.replaceAll(']]>', ']]]]><![CDATA[>')
      return `<Label Key="${label}" Red="${red}" Green="${green}" Blue="${blue}" Alpha="1"><![CDATA[${raw}]]></Label>\n`
    })
  const text = new TextEncoder().encode(
    '<?xml version="1.0" encoding="UTF-8"?>\n<CaretExtension>\n<VolumeInformation Index="0">\n<LabelTable>\n' +
      `${rows.join('')}</LabelTable>\n<VolumeType><![CDATA[Label]]></VolumeType>\n</VolumeInformation>\n` +
      '</CaretExtension>\n',
  )
  const bytes = new Uint8Array(16 * Math.ceil((8 + text.length) / 16))
  // Readers of XML mind zeros behind it, not spaces.
  bytes.fill(0x20)
  new DataView(bytes.buffer).setInt32(0, bytes.length, littleEndian)
  new DataView(bytes.buffer).setInt32(4, 0, littleEndian)
  bytes.set(text, 8)
  return bytes
}
