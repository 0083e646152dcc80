import { InputError } from '../volume/errors.ts'
import { quoted } from './legible.ts'
import { readTextHead } from './text-head.ts'

/** An NRRD header as text (teem.sourceforge.net/nrrd/format.html). */
export interface NrrdHeader {
  /** Fields by name: lower case, without spaces (`spacedirections`). */
  readonly fields: ReadonlyMap<string, string>
  /** Key/value pairs, which say nothing about the image itself. */
  readonly pairs: ReadonlyMap<string, string>
  /** The lines behind `data file: LIST`. */
  readonly list: readonly string[]
  /** The byte behind the header. */
  readonly end: number
}

/** The fields of the format and their other spellings. What is none of them is refused, as by teem. */
const fieldNames: ReadonlyMap<string, string> = new Map([
  ...[
    ...['dimension', 'type', 'encoding', 'sizes', 'endian', 'content', 'min', 'max', 'oldmin', 'oldmax', 'datafile'],
    ...[
      'lineskip',
      'byteskip',
      'number',
      'blocksize',
      'sampleunits',
      'spacings',
      'thicknesses',
      'axismins',
      'axismaxs',
    ],
    ...['centers', 'kinds', 'labels', 'units', 'space', 'spacedimension', 'spaceunits', 'spaceorigin'],
    ...['spacedirections', 'measurementframe'],
  ].map((name) => [name, name] as const),
  ['centerings', 'centers'],
])

/** Reads the header of an `.nrrd` or `.nhdr` file. */
export async function readNrrdHeader(path: string): Promise<NrrdHeader> {
  const head = await readTextHead(path, (start, from) => {
    const blank = /\n\r?\n/g
    blank.lastIndex = Math.max(0, from - 2)
    return blank.exec(start) ? blank.lastIndex : undefined
  })
  return { ...parseNrrdHeader(head.text, path), end: head.end }
}

/**
 * The fields and pairs of a header's text.
 *
 * @throws InputError where it is not NRRD, or says something twice
 */
export function parseNrrdHeader(text: string, path: string): Omit<NrrdHeader, 'end'> {
  const lines = text.split(/\r?\n/)
  if (!/^NRRD000\d$/.test(lines[0].trimEnd())) throw new InputError(path, 'is no NRRD file; was it damaged or renamed?')
  const fields = new Map<string, string>()
  const pairs = new Map<string, string>()
  for (let n = 1; n < lines.length; n++) {
    const line = lines[n]
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    if (colon < 1) throw new InputError(path, `has the header line ${quoted(line)}, which NRRD does not know; mend it`)
    const name = line.slice(0, colon)
    if (line[colon + 1] === '=') {
      setOnce(pairs, name, unescaped(line.slice(colon + 2)), path)
      continue
    }
    const field = fieldNames.get(name.toLowerCase().replace(/\s/g, ''))
    if (field === undefined)
      throw new InputError(path, `has the field ${quoted(name)}, which NRRD does not know; mend it`)
    const value = line.slice(colon + 1).trim()
    if (fields.has(field)) throw new InputError(path, `has the field ${quoted(name)} twice; keep the right one`)
    fields.set(field, value)
    if (field === 'datafile' && /^LIST\b/.test(value)) return { fields, pairs, list: lines.slice(n + 1) }
  }
  return { fields, pairs, list: [] }
}

/** The lines of key/value pairs; what would break a line is escaped. */
export function spellPairs(pairs: ReadonlyMap<string, string>): string {
  const escaped = (text: string) => text.replace(/\\/g, '\\\\').replace(/\r?\n/g, '\\n')
  return [...pairs].map(([key, value]) => `${key}:=${escaped(value)}\n`).join('')
}

function unescaped(text: string): string {
  return text.replace(/\\([\\n])/g, (_, char) => (char === 'n' ? '\n' : '\\'))
}

function setOnce(map: Map<string, string>, key: string, value: string, path: string): void {
  const before = map.get(key)
  if (before !== undefined && before !== value) {
    throw new InputError(path, `has two values for the key ${quoted(key)}; keep the right one`)
  }
  map.set(key, value)
}
