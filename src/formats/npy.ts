import type { Bytes } from '../volume/bytes.ts'
import { checkBytes, checkVoxels } from '../volume/checks.ts'
import { InputError } from '../volume/errors.ts'
import type { VoxelArray } from '../volume/volume.ts'
import { arrayType, bytesOf, hostLittleEndian, type StoredType, storedBytes, voxelsFromBytes } from './voxel-types.ts'

/** A NumPy array. 64-bit integers are held as float64, float16 as float32, bool as uint8. */
export interface NpyArray {
  /** Axes as NumPy prints them: without `fortranOrder`, the last axis is the fastest in memory. */
  readonly shape: readonly number[]
  /** Whether the first axis is the fastest in memory. Absent means false. */
  readonly fortranOrder?: boolean
  readonly data: VoxelArray
}

/** What an npy header says. */
export interface NpyHeader {
  readonly shape: readonly number[]
  readonly fortranOrder: boolean
  readonly type: StoredType
  readonly littleEndian: boolean
  /** Elements of the array, and the bytes that they take. */
  readonly length: number
  readonly dataBytes: number
}

const storedTypes: ReadonlyMap<string, StoredType> = new Map(
  Object.entries({
    b1: 'uint8',
    u1: 'uint8',
    i1: 'int8',
    u2: 'uint16',
    i2: 'int16',
    u4: 'uint32',
    i4: 'int32',
    u8: 'uint64',
    i8: 'int64',
    f2: 'float16',
    f4: 'float32',
    f8: 'float64',
  } as const),
)

/** Bytes from which the length of a header can be told (`npyHeadBytes`). */
export const npyPrologueBytes = 12
/** NumPy's own limit. */
const maxRank = 64
/** NumPy itself refuses headers beyond 10,000 bytes unless told otherwise. */
const maxHeaderBytes = 1 << 16

/**
 * The array in the bytes of an `.npy` file: versions 1 to 3; bool, integers and floats of either byte order; C or
 * Fortran order. The data may be a view on `bytes`.
 *
 * @param subject what to call the file in errors
 * @throws InputError where the bytes are no such array (objects, text, records and complex numbers are refused)
 * @example
 * const { shape } = decodeNpy(encodeNpy({ shape: [1, 2], data: Float32Array.of(0.2, 0.8) }), 'p.npy')
 * shape // [1, 2]
 */
export function decodeNpy(bytes: Uint8Array, subject: string): NpyArray {
  checkBytes(bytes, subject)
  const headBytes = npyHeadBytes(bytes, subject)
  const header = parseNpyHeader(bytes.subarray(0, headBytes), subject)
  const body = bytes.subarray(headBytes)
  if (body.length !== header.dataBytes) throw wrongLength(header, body.length, subject)
  const data = npyElements(header.littleEndian === hostLittleEndian ? body : body.slice(), header, subject)
  return { shape: header.shape, fortranOrder: header.fortranOrder, data }
}

/**
 * The bytes of an array as `.npy` (version 1, in this machine's byte order).
 *
 * @throws InputError where the shape does not fit the number of elements
 * @example
 * encodeNpy({ shape: [2], data: Float32Array.of(0.2, 0.8) }).length // 136: a header of 128 bytes
 */
export function encodeNpy(array: NpyArray): Bytes {
  const elements = array.shape.reduce((product, n) => product * n, 1)
  checkVoxels(array.data, 'array', elements)
  const head = npyHead(array)
  const out = new Uint8Array(head.length + array.data.byteLength)
  out.set(head)
  out.set(bytesOf(array.data), head.length)
  return out
}

/** Everything before the elements, padded to a multiple of 64 as NumPy does. */
export function npyHead({ shape, fortranOrder = false, data }: NpyArray): Uint8Array {
  const type = arrayType(data)
  const [code] = [...storedTypes].find(([key, value]) => key !== 'b1' && value === type) ?? []
  const order = data.BYTES_PER_ELEMENT === 1 ? '|' : hostLittleEndian ? '<' : '>'
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`
  const text = `{'descr': '${order}${code}', 'fortran_order': ${fortranOrder ? 'True' : 'False'}, 'shape': ${tuple}, }`
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10
  const head = new TextEncoder().encode(`\x93NUMPY\x01\x00??${text.padEnd(length - 1)}\n`).subarray(1)
  head[0] = 0x93 // TextEncoder writes it as two bytes
  head[8] = length & 255
  head[9] = length >> 8
  return head
}

/** Bytes before the elements, told from the first `npyPrologueBytes` of a file. */
export function npyHeadBytes(prologue: Uint8Array, subject: string): number {
  if (prologue.length === 0) throw new InputError(subject, 'is empty; was it written completely?')
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
  if (magic.some((byte, n) => prologue[n] !== byte)) throw new InputError(subject, 'is not a NumPy .npy array')
  const version = prologue[6]
  if (!(version >= 1 && version <= 3))
    throw new InputError(subject, `has npy version ${version}; halfdice reads 1 to 3`)
  if (prologue.length < npyPrologueBytes) throw new InputError(subject, 'is truncated; write or copy it again')
  const view = new DataView(prologue.buffer, prologue.byteOffset, prologue.byteLength)
  const length = version === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true)
  if (length > maxHeaderBytes) throw new InputError(subject, `claims a header of ${length} bytes; it is damaged`)
  return length
}

/** Parses the bytes before the elements. */
export function parseNpyHeader(head: Uint8Array, subject: string): NpyHeader {
  const text = new TextDecoder('latin1').decode(head.subarray(head[6] === 1 ? 10 : 12))
  // Python would take the last of several.
  const twice = /(['"])(descr|fortran_order|shape)\1\s*:[\s\S]*(['"])\2\3\s*:/.test(text)
  const descr = /(['"])descr\1\s*:\s*(?:(['"])([^'"]*)\2|(\[))/.exec(text)
  const order = /(['"])fortran_order\1\s*:\s*(True|False)/.exec(text)
  const axes = /(['"])shape\1\s*:\s*\(([\d\s,L]*)\)/.exec(text)
  if (!descr || !order || !axes || twice)
    throw new InputError(subject, 'has an unreadable npy header; it is damaged or truncated')
  const [, byteOrder, code] = /^([<>|=]?)(.*)$/.exec(descr[3] ?? '') ?? []
  const type = descr[4] ? undefined : storedTypes.get(code ?? '')
  if (!type) {
    const legible = /^[\w<>|=]{1,20}$/.test(descr[3] ?? '') ? `of type ${descr[3]}` : 'of an unknown type'
    const name = descr[4] ? 'records' : code === 'O' ? 'Python objects' : legible
    throw new InputError(subject, `has elements that are ${name}; save it as an array of real numbers`)
  }
  const shape = axes[2]
    .split(',')
    .map((part) => part.replace('L', '').trim())
    .filter((part) => part !== '')
    .map(Number)
  const length = shape.reduce((product, n) => product * n, 1)
  // Also of (10^15, 0), whose elements are none: what reads it may count along the axes.
  const most = shape.reduce((product, n) => product * Math.max(n, 1), 8)
  if (!Number.isSafeInteger(most) || shape.length > maxRank)
    throw new InputError(
      subject,
      `claims shape (${shape.slice(0, 8).join(', ')}${shape.length > 8 ? ', …' : ''}); it is damaged`,
    )
  return {
    shape,
    fortranOrder: order[2] === 'True',
    type,
    littleEndian: byteOrder === '>' ? false : byteOrder === '<' || hostLittleEndian,
    length,
    dataBytes: length * storedBytes(type),
  }
}

/** Elements from bytes, which may be changed and kept; float16 may go to memory that is given. */
export function npyElements(bytes: Uint8Array, header: NpyHeader, subject: string, widened?: Float32Array): VoxelArray {
  const data = voxelsFromBytes(bytes, header.type, header.littleEndian, widened)
  if (!data) throw new InputError(subject, `has ${header.type} numbers beyond 2^53; save it as float64 or int32`)
  return data
}

/** The refusal of an array with too few or too many bytes; `exact` unless `actual` is only the most there can be. */
export function wrongLength(
  { shape, type, dataBytes }: NpyHeader,
  actual: number,
  subject: string,
  exact = true,
): InputError {
  const promise = `shape (${shape.join(', ')}) of ${type} needs ${dataBytes} bytes`
  return new InputError(
    subject,
    actual < dataBytes
      ? `is truncated: ${promise}, it has ${exact ? '' : 'at most '}${actual}; write or copy it again`
      : `holds more data than its header promises (${promise}); it is damaged`,
  )
}

/**
 * The same array with its last axis fastest (C order); a copy only where it was in Fortran order.
 *
 * @example
 * inCOrder({ shape: [2, 2], fortranOrder: true, data: Uint8Array.of(1, 2, 3, 4) }).data // [1, 3, 2, 4]
 */
export function inCOrder(array: NpyArray): NpyArray {
  const { shape, data } = array
  if (!array.fortranOrder || shape.length < 2) return { shape, data }
  const out = data.slice()
  const index = shape.map(() => 0)
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, n) => product * n, 1))
  for (let n = 0, from = 0; n < data.length; n++) {
    out[n] = data[from]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]
      if (++index[axis] < shape[axis]) break
      from -= strides[axis] * shape[axis]
      index[axis] = 0
    }
  }
  return { shape, data: out }
}
