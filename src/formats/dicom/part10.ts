import { inflateRawSync } from 'node:zlib'
import { InputError } from '../../volume/errors.ts'
import { maxDeflateRatio } from '../byte-source.ts'
import { legible } from '../legible.ts'
import { DataSet } from './data-set.ts'
import { parseElements } from './parse.ts'
import { bareSyntax, hasPreamble, metaGroup } from './signature.ts'
import { type TransferSyntax, transferSyntaxes } from './syntaxes.ts'

/** A DICOM file taken apart. */
export interface DicomFile {
  readonly subject: string
  readonly syntax: TransferSyntax
  readonly syntaxUid: string
  /** What kind of object it is; undefined where it does not say. */
  readonly sopClass: string | undefined
  readonly dataSet: DataSet
}

const metaEncoding = { explicit: true, little: true }
/** What one typed array can hold on every supported Node. */
const maxBytes = 2 ** 31 - 1

/**
 * Takes a DICOM file apart (PS3.10: preamble, meta information, data set).
 *
 * @throws InputError where it is truncated or damaged, or its transfer syntax is unknown
 */
export function parseDicom(bytes: Uint8Array, subject: string): DicomFile {
  let start = hasPreamble(bytes) ? 132 : 0
  const meta = metaOf(bytes, start, subject)
  start = meta?.end ?? start
  const syntaxUid = meta?.dataSet.text('TransferSyntaxUID') ?? bareSyntax(bytes.subarray(start))
  if (syntaxUid === undefined) {
    throw new InputError(subject, 'cannot be read as DICOM (no data set): it is truncated or damaged; copy it again')
  }
  const syntax = transferSyntaxes.get(syntaxUid)
  if (!syntax) {
    throw new InputError(
      subject,
      `has the unknown transfer syntax ${legible(syntaxUid)}; export it as explicit VR little endian`,
    )
  }
  const body = syntax.deflated ? inflate(bytes.subarray(start), subject) : bytes
  const range = { start: syntax.deflated ? 0 : start, end: body.length }
  const dataSet = new DataSet(body, syntax, range, subject)
  const [inMeta, inData] = [meta?.dataSet.text('MediaStorageSOPClassUID'), dataSet.text('SOPClassUID')]
  if (inMeta !== undefined && inData !== undefined && inMeta !== inData) {
    throw new InputError(subject, `names two SOP classes, ${inMeta} and ${inData}: it is damaged; export it again`)
  }
  return { subject, syntax, syntaxUid, sopClass: inData ?? inMeta, dataSet }
}

/** The file meta information, always in explicit VR little endian. */
function metaOf(bytes: Uint8Array, start: number, subject: string): { dataSet: DataSet; end: number } | undefined {
  if (bytes[start] !== metaGroup || bytes[start + 1] !== 0) return undefined
  const { end } = parseElements(bytes, metaEncoding, { start, end: bytes.length }, subject, metaGroup)
  return { dataSet: new DataSet(bytes, metaEncoding, { start, end }, subject), end }
}

/** Undoes deflate (RFC 1951). Throws InputError where the data are damaged or end early. */
export function inflate(bytes: Uint8Array, subject: string): Uint8Array {
  try {
    return inflateRawSync(bytes, { maxOutputLength: Math.min(maxBytes, maxDeflateRatio * bytes.length + 1) })
  } catch {
    throw new InputError(subject, 'is truncated or damaged (its compressed data are invalid); copy it again')
  }
}
