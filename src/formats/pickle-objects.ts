import { legible } from './legible.ts'
import type { PickleBudget } from './pickle-budget.ts'
import { type Dtype, numpyNumbers, parseDtype } from './pickle-numpy.ts'

/** What a pickle of plain data can hold. NumPy arrays and scalars arrive as numbers (nested arrays of them). */
export type PickledValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly PickledValue[]
  | ReadonlyMap<string, PickledValue>
  | Opaque

/**
 * A value that is only passed over, for it has no meaning here: a callable's name, a NumPy dtype, an array of voxels.
 */
export class Opaque {
  readonly name: string
  readonly dtype: Dtype | undefined
  /** Data that BUILD gives a NumPy array. */
  value: PickledValue | undefined

  constructor(name: string, dtype?: Dtype) {
    this.name = name
    this.dtype = dtype
  }
}

/** A pickle of more than plain data. The message says of what, and does not name the file. */
export class Unreadable extends Error {}

export const stackMark = Symbol('mark')

/** What lies on the stack while a pickle is read. */
export type Item = PickledValue | Item[] | Map<string, PickledValue> | typeof stackMark | undefined

/** The names that plain data use. */
const allowed = new Set([
  'collections OrderedDict',
  '_codecs encode',
  'builtins bytearray',
  '__builtin__ bytearray',
  'numpy dtype',
  'numpy ndarray',
  'numpy.core.multiarray scalar',
  'numpy._core.multiarray scalar',
  'numpy.core.multiarray _reconstruct',
  'numpy._core.multiarray _reconstruct',
  'numpy.core.numeric _frombuffer',
  'numpy._core.numeric _frombuffer',
])

/** A name that plain data use; it stands for itself and is never called. */
export function named(name: string): Opaque {
  if (!allowed.has(name)) throw new Unreadable(`asks to load '${legible(name.replace(' ', '.'))}', which may run code`)
  return new Opaque(name)
}

/** What the call of a named callable stands for. */
export function made(name: string, args: Item[], budget: PickleBudget): Item {
  switch (name.replace('numpy._core', 'numpy.core')) {
    case 'collections OrderedDict': {
      const map = new Map<string, PickledValue>()
      const pairs = args[0]
      if (!Array.isArray(pairs)) return map
      budget.spend(pairs.length)
      for (const pair of pairs) {
        if (!Array.isArray(pair) || pair.length !== 2) throw unexpected()
        fillMap(map, pair)
      }
      return map
    }
    case '_codecs encode': {
      if (typeof args[0] !== 'string' || args[1] !== 'latin1') throw unexpected()
      budget.spend(args[0].length)
      return latin1Bytes(args[0])
    }
    case 'builtins bytearray':
    case '__builtin__ bytearray':
      return args[0] instanceof Uint8Array ? args[0] : new Uint8Array(0)
    case 'numpy dtype': {
      const code = typeof args[0] === 'string' ? args[0] : 'unknown'
      const dtype = parseDtype(code)
      if (dtype === undefined) throw new Unreadable(`holds NumPy data of type ${legible(code)}, which is not read`)
      return new Opaque('dtype', dtype)
    }
    case 'numpy.core.multiarray scalar': {
      const [dtype, data] = args
      if (!(dtype instanceof Opaque) || !dtype.dtype || !(data instanceof Uint8Array)) throw unexpected()
      return numpyNumbers(data, dtype.dtype, [], false, budget)
    }
    case 'numpy.core.multiarray _reconstruct':
      return new Opaque('ndarray')
    case 'numpy.core.numeric _frombuffer': {
      const [data, dtype, shape, order] = args
      if (!(data instanceof Uint8Array && dtype instanceof Opaque && dtype.dtype && Array.isArray(shape))) {
        throw unexpected()
      }
      return numpyNumbers(data, dtype.dtype, shape, order === 'F', budget) ?? voxels()
    }
    default:
      throw unexpected()
  }
}

/** Gives an object that was made, a dtype or an array, its state. */
export function build(target: Item, state: Item, budget: PickleBudget): void {
  if (!(target instanceof Opaque) || !Array.isArray(state)) {
    throw new Unreadable('sets the state of an object that is no plain data')
  }
  if (target.dtype) {
    if (state[1] === '>') target.dtype.littleEndian = false
    return
  }
  const [, shape, dtype, fortran, data] = state
  if (target.name !== 'ndarray' || !Array.isArray(shape) || !(dtype instanceof Opaque) || !dtype.dtype) {
    throw unexpected()
  }
  if (!(data instanceof Uint8Array)) throw new Unreadable('holds an object array, which may run code')
  target.value = numpyNumbers(data, dtype.dtype, shape, fortran === true, budget) ?? voxels()
}

/** Keys and values in turn. */
export function fillMap(map: Item, items: readonly Item[]): Item {
  if (!(map instanceof Map) || items.length % 2 !== 0) throw unexpected()
  for (let i = 0; i < items.length; i += 2) map.set(keyOf(items[i]), items[i + 1] as PickledValue)
  return map
}

/** Keys are text, numbers, or tuples of a few of these. */
function keyOf(item: Item): string {
  if (!Array.isArray(item)) return plainKey(item)
  if (item.length > 16) throw unexpected()
  const parts = item.map((part: Item) => plainKey(part))
  if (parts.some((part) => part.length > 100)) throw unexpected()
  return parts.join(',')
}

function plainKey(item: Item): string {
  if (typeof item === 'object' && item !== null) throw unexpected()
  return String(item)
}

/** Stands for an array of voxels, whose numbers are not read. */
function voxels(): Opaque {
  return new Opaque('voxels')
}

function latin1Bytes(text: string): Uint8Array {
  const out = new Uint8Array(text.length)
  for (let n = 0; n < text.length; n++) out[n] = text.charCodeAt(n)
  return out
}

function unexpected(): RangeError {
  return new RangeError('objects of other kinds than expected')
}
