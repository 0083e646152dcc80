import { InputError } from '../volume/errors.ts'
import { quoted } from './legible.ts'
import { readTextHead } from './text-head.ts'

/** A MetaImage header as text (itk.org/Wiki/MetaIO/Documentation): `Key = Value` lines. */
export interface MetaHeader {
  /** The format's own fields, synonyms under one name. */
  readonly fields: ReadonlyMap<string, string>
  /** Keys that the format does not know. */
  readonly pairs: ReadonlyMap<string, string>
  /** The lines behind `ElementDataFile = LIST`. */
  readonly list: readonly string[]
  /** The byte behind the header. */
  readonly end: number
}

/** The fields of the format, and the name that stands for those which mean the same. */
const fieldNames: ReadonlyMap<string, string> = new Map([
  ...[
    ...['ObjectType', 'ObjectSubType', 'NDims', 'Comment', 'Name', 'ID', 'ParentID', 'Color', 'AcquisitionDate'],
    ...['BinaryData', 'CompressedData', 'CompressedDataSize', 'CompressionLevel', 'DistanceUnits'],
    ...['AnatomicalOrientation', 'CenterOfRotation', 'DimSize', 'HeaderSize', 'HeaderSizePerSlice', 'Modality'],
    ...['SequenceID', 'ElementMin', 'ElementMax', 'ElementNBits', 'ElementNumberOfChannels', 'ElementSize'],
    ...['ElementSpacing', 'ElementToIntensityFunctionSlope', 'ElementToIntensityFunctionOffset', 'ElementType'],
    ...['TransformMatrix', 'Offset', 'BinaryDataByteOrderMSB', 'ElementDataFile'],
  ].map((name) => [name, name] as const),
  ['Rotation', 'TransformMatrix'],
  ['Orientation', 'TransformMatrix'],
  ['Position', 'Offset'],
  ['Origin', 'Offset'],
  ['ElementByteOrderMSB', 'BinaryDataByteOrderMSB'],
])

/** Whether the format gives a key a meaning of its own. */
export function isMetaField(key: string): boolean {
  return fieldNames.has(key)
}

/** Reads the header of an `.mha` or `.mhd` file: everything up to `ElementDataFile`, which must come last. */
export async function readMetaHeader(path: string): Promise<MetaHeader> {
  const head = await readTextHead(path, (start) => {
    const last = /^[ \t]*ElementDataFile[ \t]*[=:].*\n/m.exec(start)
    return last ? last.index + last[0].length : undefined
  })
  const header = parseMetaHeader(head.text, path)
  if (!/^LIST\b/i.test(header.fields.get('ElementDataFile') ?? '')) return { ...header, list: [], end: head.end }
  const whole = await readTextHead(path, () => undefined)
  const lines = whole.text.slice(head.text.length).split(/\r?\n/)
  return { ...header, list: lines, end: head.end }
}

/**
 * The fields of a header's text.
 *
 * @throws InputError where it is not MetaImage, or says something twice
 */
export function parseMetaHeader(text: string, path: string): Pick<MetaHeader, 'fields' | 'pairs'> {
  const fields = new Map<string, string>()
  const pairs = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') continue
    const [, key, value] = /^\s*([^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? []
    if (!key) throw new InputError(path, `has the header line ${quoted(line)}, which is not "Key = Value"; mend it`)
    const field = fieldNames.get(key)
    const [map, name] = field === undefined ? ([pairs, key] as const) : ([fields, field] as const)
    if (map.has(name) && map.get(name) !== value) {
      throw new InputError(path, `has two values for ${quoted(name)}; keep the right one`)
    }
    map.set(name, value)
  }
  if (!fields.has('NDims') || !fields.has('ElementDataFile')) {
    throw new InputError(path, 'is no complete MetaImage header (NDims, ElementDataFile); was it damaged or renamed?')
  }
  return { fields, pairs }
}
