import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

/** What is read back from a model file without a runtime: its metadata and the shapes of its ends. */
export interface ModelSummary {
  readonly metadata: Readonly<Record<string, string>>
  readonly inputs: readonly ValueSummary[]
  readonly outputs: readonly ValueSummary[]
}

export interface ValueSummary {
  readonly name: string
  /** A name (or '?') stands for an axis whose size is free. */
  readonly shape: readonly (string | number)[]
}

/** Reads the ends and the metadata of an ONNX file; throws an Error where the bytes are no protocol buffer. */
export function decodeModel(bytes: Uint8Array): ModelSummary {
  const metadata: Record<string, string> = {}
  const inputs: ValueSummary[] = []
  const outputs: ValueSummary[] = []
  eachField(new BinaryReader(bytes), (field, reader) => {
    if (field === 7) {
      eachField(sub(reader), (graphField, graph) => {
        if (graphField === 11) inputs.push(valueInfo(sub(graph)))
        else if (graphField === 12) outputs.push(valueInfo(sub(graph)))
        else return false
        return true
      })
    } else if (field === 14) {
      let [key, value] = ['', '']
      eachField(sub(reader), (propertyField, property) => {
        if (propertyField === 1) key = property.string()
        else if (propertyField === 2) value = property.string()
        else return false
        return true
      })
      metadata[key] = value
    } else return false
    return true
  })
  return { metadata, inputs, outputs }
}

function valueInfo(reader: BinaryReader): ValueSummary {
  let name = ''
  const shape: (string | number)[] = []
  eachField(reader, (field, r) => {
    if (field === 1) name = r.string()
    else if (field === 2) within(sub(r), 1, (tensor) => within(tensor, 2, (dims) => shape.push(...dimensions(dims))))
    else return false
    return true
  })
  return { name, shape }
}

function dimensions(reader: BinaryReader): (string | number)[] {
  const shape: (string | number)[] = []
  eachField(reader, (field, r) => {
    if (field !== 1) return false
    let size: string | number = '?'
    eachField(sub(r), (dimensionField, dimension) => {
      if (dimensionField === 1) size = Number(dimension.int64())
      else if (dimensionField === 2) size = dimension.string()
      else return false
      return true
    })
    shape.push(size)
    return true
  })
  return shape
}

/** Reads the message that lies under one field of a message. */
function within(reader: BinaryReader, wanted: number, read: (inner: BinaryReader) => void): void {
  eachField(reader, (field, r) => {
    if (field !== wanted) return false
    read(sub(r))
    return true
  })
}

function sub(reader: BinaryReader): BinaryReader {
  return new BinaryReader(reader.bytes())
}

/** Calls back for each field; the callback returns false where it has not read the value, which is then skipped. */
function eachField(reader: BinaryReader, read: (field: number, reader: BinaryReader) => boolean): void {
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (type !== WireType.Varint && type !== WireType.LengthDelimited) reader.skip(type, field)
    else if (!read(field, reader)) reader.skip(type, field)
  }
}
