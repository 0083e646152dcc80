import { InputError } from '../volume/errors.ts'
import type { StoredType } from './voxel-types.ts'

/** The range of each integer type that text may spell; 64-bit ones as far as float64 holds every integer. */
const ranges: ReadonlyMap<StoredType, readonly [number, number]> = new Map([
  ['uint8', [0, 2 ** 8 - 1]],
  ['int8', [-(2 ** 7), 2 ** 7 - 1]],
  ['uint16', [0, 2 ** 16 - 1]],
  ['int16', [-(2 ** 15), 2 ** 15 - 1]],
  ['uint32', [0, 2 ** 32 - 1]],
  ['int32', [-(2 ** 31), 2 ** 31 - 1]],
  ['uint64', [0, Number.MAX_SAFE_INTEGER]],
  ['int64', [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]],
])

const notFinite: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['+inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
])

/**
 * Exactly `count` numbers spelled in text, with white space or commas between them.
 *
 * @throws InputError where there are fewer or more, or where one does not fit the type
 */
export function numbersOfText(text: Uint8Array, type: StoredType, count: number, path: string): number[] {
  const words = Buffer.from(text)
    .toString('latin1')
    .split(/[\s,]+/)
  const range = ranges.get(type)
  const out: number[] = []
  for (const word of words) {
    if (word === '') continue
    const value = notFinite.get(word.toLowerCase()) ?? (/^[-+.\deE]+$/.test(word) ? Number(word) : undefined)
    const fits = range ? Number.isInteger(value) && inRange(value, range) : value !== undefined
    if (!fits || (Number.isNaN(value) && !/^nan$/i.test(word))) {
      throw new InputError(path, `has voxel ${out.length + 1} of its text that is no ${type} number; write it again`)
    }
    out.push(value as number)
  }
  if (out.length === count) return out
  const fault = out.length < count ? 'is truncated' : 'holds more data than its header promises'
  throw new InputError(path, `${fault}: ${count} numbers as text, it has ${out.length}; get it again`)
}

function inRange(value: number | undefined, [low, high]: readonly [number, number]): boolean {
  return value !== undefined && value >= low && value <= high
}
