/** NumPy's numbers as a number or nested arrays. */
export type NumpyValue = number | boolean | readonly NumpyValue[]

export interface Dtype {
  /** Kind and bytes, such as `f8`. */
  readonly code: string
  littleEndian: boolean
}

type Reader = (view: DataView, at: number, littleEndian: boolean) => number | boolean

const READERS: Readonly<Record<string, Reader>> = {
  b1: (view, at) => view.getUint8(at) !== 0,
  i1: (view, at) => view.getInt8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
  u1: (view, at) => view.getUint8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
}

/** The type that a code such as `<f8` names; undefined for what is no number that is read here. */
export function parseDtype(text: string): Dtype | undefined {
  const code = text.replace(/^[<>|=]/, '')
  return Object.hasOwn(READERS, code) ? { code, littleEndian: !text.startsWith('>') } : undefined
}

/** @throws RangeError where the shape does not fit the bytes */
export function numpyNumbers(
  bytes: Uint8Array,
  { code, littleEndian }: Dtype,
  shape: readonly number[],
  fortran = false,
): NumpyValue {
  const size = Number(code.slice(1))
  const product = (extents: readonly number[]) => extents.reduce((a, b) => a * b, 1)
  if (product(shape) * size !== bytes.length || !shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new RangeError(`shape ${shape} of ${code} in ${bytes.length} bytes`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const strides = shape.map((_, axis) => product(fortran ? shape.slice(0, axis) : shape.slice(axis + 1)))
  const nested = (axis: number, index: number): NumpyValue =>
    axis === shape.length
      ? READERS[code](view, index * size, littleEndian)
      : Array.from({ length: shape[axis] }, (_, i) => nested(axis + 1, index + i * strides[axis]))
  return nested(0, 0)
}
