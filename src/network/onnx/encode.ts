import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import type { AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfo } from './model.ts'

/** The bytes of an `.onnx` file. Field numbers are those of onnx.proto3. */
export function encodeModel(model: ModelProto): Uint8Array {
  const w = new BinaryWriter()
  w.tag(1, WireType.Varint).int64(model.irVersion)
  w.tag(2, WireType.LengthDelimited).string(model.producerName)
  nested(w, 7, () => graph(w, model.graph))
  for (const { domain, version } of model.opsetImport) {
    nested(w, 8, () => {
      w.tag(1, WireType.LengthDelimited).string(domain)
      w.tag(2, WireType.Varint).int64(version)
    })
  }
  for (const { key, value } of model.metadataProps) {
    nested(w, 14, () => {
      w.tag(1, WireType.LengthDelimited).string(key)
      w.tag(2, WireType.LengthDelimited).string(value)
    })
  }
  return w.finish()
}

function graph(w: BinaryWriter, { node, name, initializer, input, output }: GraphProto): void {
  for (const n of node) nested(w, 1, () => encodeNode(w, n))
  w.tag(2, WireType.LengthDelimited).string(name)
  for (const t of initializer) nested(w, 5, () => tensor(w, t))
  for (const v of input) nested(w, 11, () => valueInfo(w, v))
  for (const v of output) nested(w, 12, () => valueInfo(w, v))
}

function encodeNode(w: BinaryWriter, { input, output, name, opType, attribute, domain }: NodeProto): void {
  for (const i of input) w.tag(1, WireType.LengthDelimited).string(i)
  for (const o of output) w.tag(2, WireType.LengthDelimited).string(o)
  w.tag(3, WireType.LengthDelimited).string(name)
  w.tag(4, WireType.LengthDelimited).string(opType)
  for (const a of attribute) nested(w, 5, () => encodeAttribute(w, a))
  if (domain !== '') w.tag(7, WireType.LengthDelimited).string(domain)
}

function encodeAttribute(w: BinaryWriter, { name, type, f, i, s, floats, ints }: AttributeProto): void {
  w.tag(1, WireType.LengthDelimited).string(name)
  if (f !== undefined) w.tag(2, WireType.Bit32).float(f)
  if (i !== undefined) w.tag(3, WireType.Varint).int64(i)
  if (s !== undefined) w.tag(4, WireType.LengthDelimited).bytes(s)
  for (const value of floats ?? []) w.tag(7, WireType.Bit32).float(value)
  for (const value of ints ?? []) w.tag(8, WireType.Varint).int64(value)
  w.tag(20, WireType.Varint).int32(type)
}

function tensor(w: BinaryWriter, { dims, dataType, name, rawData }: TensorProto): void {
  for (const n of dims) w.tag(1, WireType.Varint).int64(n)
  w.tag(2, WireType.Varint).int32(dataType)
  w.tag(8, WireType.LengthDelimited).string(name)
  w.tag(9, WireType.LengthDelimited).bytes(rawData)
}

function valueInfo(w: BinaryWriter, { name, elementType, shape }: ValueInfo): void {
  w.tag(1, WireType.LengthDelimited).string(name)
  nested(w, 2, () =>
    nested(w, 1, () => {
      w.tag(1, WireType.Varint).int32(elementType)
      nested(w, 2, () => {
        for (const n of shape) {
          nested(w, 1, () => {
            if (typeof n === 'number') w.tag(1, WireType.Varint).int64(n)
            else w.tag(2, WireType.LengthDelimited).string(n)
          })
        }
      })
    }),
  )
}

function nested(w: BinaryWriter, field: number, write: () => void): void {
  w.tag(field, WireType.LengthDelimited).fork()
  write()
  w.join()
}
