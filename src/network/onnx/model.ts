/** The part of ONNX's model format (onnx.proto3, IR version 10) that we write; field names as there, in camel case. */
export interface ModelProto {
  readonly irVersion: number
  readonly producerName: string
  readonly graph: GraphProto
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[]
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[]
}

export interface GraphProto {
  readonly name: string
  readonly node: readonly NodeProto[]
  readonly initializer: readonly TensorProto[]
  readonly input: readonly ValueInfo[]
  readonly output: readonly ValueInfo[]
}

export interface NodeProto {
  readonly name: string
  readonly opType: string
  readonly domain: string
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly attribute: readonly AttributeProto[]
}

export interface AttributeProto {
  readonly name: string
  /** AttributeType: 1 float, 2 int, 3 string, 6 floats, 7 ints. */
  readonly type: number
  readonly f?: number
  readonly i?: number
  readonly s?: Uint8Array
  readonly floats?: readonly number[]
  readonly ints?: readonly number[]
}

export interface TensorProto {
  readonly name: string
  readonly dims: readonly number[]
  readonly dataType: number
  /** Little-endian. */
  readonly rawData: Uint8Array
}

export interface ValueInfo {
  readonly name: string
  readonly elementType: number
  /** A name stands for an axis whose size is free. */
  readonly shape: readonly (string | number)[]
}

/** TensorProto.DataType. */
export const dataTypes = { float32: 1, int64: 7, bool: 9 } as const
