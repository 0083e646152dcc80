import { floatsFromHalves } from '../kernels/voxels.ts'
import type { VoxelArray } from '../volume/volume.ts'

/** The element types a `VoxelArray` may have. */
export type VoxelType = 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'float64'
/** The element types that files may store: 64-bit integers are widened to float64, float16 (npy) to float32. */
export type StoredType = VoxelType | 'int64' | 'uint64' | 'float16'

/** Whether this machine stores the low byte first. */
export const hostLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

const constructors = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const

const bytesOfStored: Record<StoredType, number> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  float16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  float64: 8,
  int64: 8,
  uint64: 8,
}

/** Bytes of one element in a file. */
export function storedBytes(type: StoredType): number {
  return bytesOfStored[type]
}

/** The type that holds a stored type in memory. */
export function voxelTypeOf(type: StoredType): VoxelType {
  return type === 'int64' || type === 'uint64' ? 'float64' : type === 'float16' ? 'float32' : type
}

/** The type of an array's elements. */
export function arrayType(array: VoxelArray): VoxelType {
  for (const type of Object.keys(constructors) as VoxelType[]) if (array instanceof constructors[type]) return type
  return 'uint8' // Uint8ClampedArray and other bytes
}

/** The next part of `memory` for `length` numbers at most, behind `done` that are there; behind its end, its start. */
export function nextPart(memory: Float32Array, done: number, length: number): Float32Array {
  const at = done % memory.length
  return memory.subarray(at, Math.min(at + length, memory.length))
}

/** A zeroed array of `length` elements. Throws RangeError where the machine cannot hold it. */
export function allocateVoxels(type: VoxelType, length: number): VoxelArray {
  return new constructors[type](length)
}

/** The bytes behind an array, without a copy. */
export function bytesOf(array: VoxelArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

/** Bytes that are compressed at a time; fixed, because the bytes of a compressed file depend on it. */
const slabBytes = 1 << 20

/** The bytes behind an array in slabs, without a copy. */
export function* slabsOf(array: VoxelArray): Generator<Uint8Array> {
  const bytes = bytesOf(array)
  for (let at = 0; at < bytes.length; at += slabBytes) yield bytes.subarray(at, at + slabBytes)
}

/**
 * Elements from a file's bytes. No copy where the bytes already have this machine's order, alignment and type, so the
 * result may share memory with `bytes`; bytes in the other order are turned round in place. Returns undefined where a
 * 64-bit integer is not exactly a float64 (its magnitude exceeds 2⁵³ and its low bits are set).
 *
 * @param widened memory for float16 numbers as float32; default: new
 */
export function voxelsFromBytes(
  bytes: Uint8Array,
  type: StoredType,
  littleEndian: boolean,
  widened?: Float32Array,
): VoxelArray | undefined {
  const size = bytesOfStored[type]
  const length = bytes.byteLength / size
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice()
  const buffer = aligned.buffer as ArrayBuffer
  if (littleEndian !== hostLittleEndian) swapBytes(aligned, size)
  if (type === 'int64' || type === 'uint64') {
    const wide = new (type === 'int64' ? BigInt64Array : BigUint64Array)(buffer, aligned.byteOffset, length)
    return exactFloats(wide)
  }
  if (type === 'float16') {
    const floats = widened ?? new Float32Array(length)
    floatsFromHalves(new Uint16Array(buffer, aligned.byteOffset, length), floats)
    return floats
  }
  return new constructors[type](buffer, aligned.byteOffset, length)
}

/** Reverses the bytes of each element, in place. */
export function swapBytes(bytes: Uint8Array, elementBytes: number): void {
  for (let at = 0; at + elementBytes <= bytes.length; at += elementBytes) {
    for (let low = at, high = at + elementBytes - 1; low < high; low++, high--) {
      const byte = bytes[low]
      bytes[low] = bytes[high]
      bytes[high] = byte
    }
  }
}

/** 64-bit integers as float64, or undefined where one of them has no exact float64. */
export function exactFloats(wide: BigInt64Array | BigUint64Array): Float64Array | undefined {
  const out = new Float64Array(wide.length)
  for (let n = 0; n < wide.length; n++) {
    const value = Number(wide[n])
    if (!Number.isSafeInteger(value) && BigInt(value) !== wide[n]) return undefined
    out[n] = value
  }
  return out
}
