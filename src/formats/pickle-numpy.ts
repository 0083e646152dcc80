import type { PickleBudget } from './pickle-budget.ts'

/** NumPy's numbers as a number or nested arrays. */
export type NumpyValue = number | boolean | readonly NumpyValue[]

export interface Dtype {
  /** Kind and bytes, such as `f8`. */
  readonly code: string
  littleEndian: boolean
}

type Reader = (view: DataView, at: number, littleEndian: boolean) => number | boolean

const readers: Readonly<Record<string, Reader>> = {
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
  if (text.length > 3) return undefined
  const code = text.replace(/^[<>|=]/, '')
  return Object.hasOwn(readers, code) ? { code, littleEndian: !text.startsWith('>') } : undefined
}

/** NumPy's own limit. */
const maxRank = 64
/** More numbers than any geometry has; an array of voxels stays closed. */
const maxNumbers = 1 << 16

/**
 * The numbers of an array, or undefined where there are so many that they can only be voxels.
 *
 * @throws RangeError where the shape does not fit the bytes
 */
export function numpyNumbers(
  bytes: Uint8Array,
  { code, littleEndian }: Dtype,
  shape: readonly unknown[],
  fortran: boolean,
  budget: PickleBudget,
): NumpyValue | undefined {
  const size = Number(code.slice(1))
  const extents = extentsOf(shape)
  const product = (axes: readonly number[]) => axes.reduce((a, b) => a * b, 1)
  if (product(extents) * size !== bytes.length) throw new RangeError(`${bytes.length} bytes for another shape`)
  if (product(extents) > maxNumbers) return undefined
  // Every list on every level counts: (10^9, 0) holds no number, but 10^9 empty lists.
  for (let axis = 0; axis <= extents.length; axis++) budget.spend(product(extents.slice(0, axis)))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const strides = extents.map((_, axis) => product(fortran ? extents.slice(0, axis) : extents.slice(axis + 1)))
  const nested = (axis: number, index: number): NumpyValue =>
    axis === extents.length
      ? readers[code](view, index * size, littleEndian)
      : Array.from({ length: extents[axis] }, (_, i) => nested(axis + 1, index + i * strides[axis]))
  return nested(0, 0)
}

function extentsOf(shape: readonly unknown[]): number[] {
  if (shape.length > maxRank) throw new RangeError(`an array of ${shape.length} axes`)
  return shape.map((n) => {
    if (typeof n !== 'number' || !Number.isInteger(n) || n < 0) throw new RangeError('a shape that is none')
    return n
  })
}
