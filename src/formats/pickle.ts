import { InputError } from '../volume/errors.ts'
import { PickleBytes, spelled } from './pickle-bytes.ts'
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

/** A value that is only passed over, for it has no meaning here: a callable's name, a NumPy dtype. */
class Opaque {
  readonly name: string
  readonly dtype: Dtype | undefined
  /** Data that BUILD gives a NumPy array. */
  value: PickledValue | undefined

  constructor(name: string, dtype?: Dtype) {
    this.name = name
    this.dtype = dtype
  }
}

/** Deep enough for any properties file, shallow enough that reading back cannot exhaust the stack. */
const maxDepth = 100
const MARK = Symbol('mark')
type Item = PickledValue | Item[] | Map<string, PickledValue> | typeof MARK | undefined

/**
 * Reads a Python pickle (protocols 0 to 5) that holds plain data: dict, list, tuple, str, bytes, int, float, bool, None,
 * OrderedDict, and NumPy arrays and scalars of numbers. Nothing is ever called or imported: the few names that plain data
 * need are recognised, every other name, and so every pickle that would run code, is refused.
 *
 * Integers beyond 2⁵³ become the nearest number. Keys of dictionaries become strings.
 *
 * @throws InputError where the pickle asks for code, or is damaged
 *
 * @example
 * const properties = decodePickle(readFileSync('case.pkl'), 'case.pkl') as Map
 * properties.get('spacing') // [3, 0.8, 0.8]
 */
export function decodePickle(bytes: Uint8Array, subject: string): PickledValue {
  const machine = new Machine(bytes, subject)
  try {
    return machine.run()
  } catch (error) {
    if (error instanceof RangeError) throw machine.damaged()
    throw error
  }
}

const ALLOWED = new Set([
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

class Machine {
  readonly #bytes: PickleBytes
  readonly #subject: string
  readonly #stack: Item[] = []
  readonly #memo = new Map<number, Item>()
  readonly #values = new Map<object, PickledValue>()

  constructor(bytes: Uint8Array, subject: string) {
    this.#bytes = new PickleBytes(bytes)
    this.#subject = subject
  }

  damaged(): InputError {
    return new InputError(this.#subject, 'is no pickle, or a damaged one; write it again')
  }

  run(): PickledValue {
    while (true) {
      const op = String.fromCharCode(this.#bytes.u8())
      if (op === '.') return this.#value(this.#pop())
      this.#step(op)
    }
  }

  #step(op: string): void {
    const [stack, bytes] = [this.#stack, this.#bytes]
    switch (op) {
      case '\x80': // PROTO
        if (bytes.u8() > 5) throw this.#refusal('is a pickle of an unknown protocol')
        return
      case '\x95': // FRAME
        bytes.skip(8)
        return
      case '(':
        stack.push(MARK)
        return
      case '0':
        this.#pop()
        return
      case '1':
        this.#toMark()
        return
      case '2':
        stack.push(stack.at(-1))
        return
      case 'N':
        stack.push(null)
        return
      case '\x88':
        stack.push(true)
        return
      case '\x89':
        stack.push(false)
        return
      case 'I': {
        const line = bytes.line()
        stack.push(line === '01' ? true : line === '00' ? false : spelled(line))
        return
      }
      case 'L':
        stack.push(spelled(bytes.line().replace(/L$/, '')))
        return
      case 'F':
        stack.push(bytes.number())
        return
      case 'J':
        stack.push(bytes.i32())
        return
      case 'K':
        stack.push(bytes.u8())
        return
      case 'M':
        stack.push(bytes.u16())
        return
      case 'G':
        stack.push(bytes.f64())
        return
      case '\x8a':
        stack.push(bytes.long(bytes.u8()))
        return
      case '\x8b':
        stack.push(bytes.long(bytes.u32()))
        return
      case 'S': {
        const line = bytes.line()
        if (!/^(['"]).*\1$/.test(line)) throw this.damaged()
        stack.push(line.slice(1, -1).replace(/\\(['"\\])/g, '$1'))
        return
      }
      case 'V':
        stack.push(rawUnicode(bytes.line()))
        return
      case 'T':
        stack.push(bytes.latin1(bytes.u32()))
        return
      case 'U':
        stack.push(bytes.latin1(bytes.u8()))
        return
      case 'X':
        stack.push(bytes.utf8(bytes.u32()))
        return
      case '\x8c':
        stack.push(bytes.utf8(bytes.u8()))
        return
      case '\x8d':
        stack.push(bytes.utf8(bytes.u64()))
        return
      case 'B':
        stack.push(bytes.take(bytes.u32()))
        return
      case 'C':
        stack.push(bytes.take(bytes.u8()))
        return
      case '\x8e':
      case '\x96':
        stack.push(bytes.take(bytes.u64()))
        return
      case ']':
        stack.push([])
        return
      case ')':
        stack.push([])
        return
      case '}':
        stack.push(new Map())
        return
      case 'l':
      case 't':
        stack.push(this.#toMark())
        return
      case 'd': {
        const map = new Map<string, PickledValue>()
        stack.push(this.#fillMap(map, this.#toMark()))
        return
      }
      case '\x85':
      case '\x86':
      case '\x87': {
        const n = op.charCodeAt(0) - 0x84
        if (stack.length < n) throw this.damaged()
        stack.push(stack.splice(stack.length - n))
        return
      }
      case 'a':
        this.#append([this.#pop()])
        return
      case 'e':
        this.#append(this.#toMark())
        return
      case 's': {
        const value = this.#pop()
        const key = this.#pop()
        this.#fillMap(stack.at(-1), [key, value])
        return
      }
      case 'u': {
        const items = this.#toMark()
        this.#fillMap(stack.at(-1), items)
        return
      }
      case 'p':
        this.#memo.set(bytes.number(), stack.at(-1))
        return
      case 'q':
        this.#memo.set(bytes.u8(), stack.at(-1))
        return
      case 'r':
        this.#memo.set(bytes.u32(), stack.at(-1))
        return
      case '\x94':
        this.#memo.set(this.#memo.size, stack.at(-1))
        return
      case 'g':
        this.#recall(bytes.number())
        return
      case 'h':
        this.#recall(bytes.u8())
        return
      case 'j':
        this.#recall(bytes.u32())
        return
      case 'c':
        stack.push(this.#named(`${bytes.line()} ${bytes.line()}`))
        return
      case '\x93': {
        const name = this.#pop()
        const module = this.#pop()
        if (typeof name !== 'string' || typeof module !== 'string') throw this.damaged()
        stack.push(this.#named(`${module} ${name}`))
        return
      }
      case 'R': {
        const args = this.#pop()
        const callable = this.#pop()
        if (!(callable instanceof Opaque) || !Array.isArray(args)) throw this.damaged()
        stack.push(this.#made(callable.name, args))
        return
      }
      case 'b':
        this.#build(this.#pop())
        return
      default:
        throw this.#refusal(`holds more than plain data (opcode 0x${op.charCodeAt(0).toString(16).padStart(2, '0')})`)
    }
  }

  /** The names that plain data use; each stands for itself and is never called. */
  #named(name: string): Opaque {
    if (!ALLOWED.has(name)) throw this.#refusal(`asks to load '${name.replace(' ', '.')}', which may run code`)
    return new Opaque(name)
  }

  #made(name: string, args: Item[]): Item {
    switch (name.replace('numpy._core', 'numpy.core')) {
      case 'collections OrderedDict': {
        const map = new Map<string, PickledValue>()
        const pairs = args[0]
        if (Array.isArray(pairs)) for (const pair of pairs) if (Array.isArray(pair)) this.#fillMap(map, pair)
        return map
      }
      case '_codecs encode': {
        if (typeof args[0] !== 'string' || args[1] !== 'latin1') throw this.damaged()
        return Uint8Array.from(args[0], (c) => c.charCodeAt(0))
      }
      case 'builtins bytearray':
      case '__builtin__ bytearray':
        return args[0] instanceof Uint8Array ? args[0] : new Uint8Array(0)
      case 'numpy dtype': {
        const code = typeof args[0] === 'string' ? args[0] : 'unknown'
        const dtype = parseDtype(code)
        if (dtype === undefined) throw this.#refusal(`holds NumPy data of type ${code}, which is not read`)
        return new Opaque('dtype', dtype)
      }
      case 'numpy.core.multiarray scalar': {
        const [dtype, data] = args
        if (!(dtype instanceof Opaque) || !dtype.dtype || !(data instanceof Uint8Array)) throw this.damaged()
        return numpyNumbers(data, dtype.dtype, [])
      }
      case 'numpy.core.multiarray _reconstruct':
        return new Opaque('ndarray')
      case 'numpy.core.numeric _frombuffer': {
        const [data, dtype, shape, order] = args
        if (!(data instanceof Uint8Array && dtype instanceof Opaque && dtype.dtype && Array.isArray(shape))) {
          throw this.damaged()
        }
        return numpyNumbers(data, dtype.dtype, shape.map(Number), order === 'F')
      }
      default:
        throw this.damaged()
    }
  }

  #build(state: Item): void {
    const target = this.#stack.at(-1)
    if (!(target instanceof Opaque) || !Array.isArray(state)) {
      throw this.#refusal('sets the state of an object that is no plain data')
    }
    if (target.dtype) {
      if (state[1] === '>') target.dtype.littleEndian = false
      return
    }
    const [, shape, dtype, fortran, data] = state
    if (target.name !== 'ndarray' || !Array.isArray(shape) || !(dtype instanceof Opaque) || !dtype.dtype) {
      throw this.damaged()
    }
    if (!(data instanceof Uint8Array)) throw this.#refusal('holds an object array, which may run code')
    target.value = numpyNumbers(data, dtype.dtype, shape.map(Number), fortran === true)
  }

  #fillMap(map: Item, items: readonly Item[]): Item {
    if (!(map instanceof Map) || items.length % 2 !== 0) throw this.damaged()
    for (let i = 0; i < items.length; i += 2) map.set(String(items[i]), items[i + 1] as PickledValue)
    return map
  }

  #append(items: readonly Item[]): void {
    const list = this.#stack.at(-1)
    if (!Array.isArray(list)) throw this.damaged()
    for (const item of items) list.push(item)
  }

  #recall(index: number): void {
    if (!this.#memo.has(index)) throw this.damaged()
    this.#stack.push(this.#memo.get(index))
  }

  #pop(): Item {
    const item = this.#stack.pop()
    if (item === MARK || item === undefined) throw this.damaged()
    return item
  }

  #toMark(): Item[] {
    const mark = this.#stack.lastIndexOf(MARK)
    if (mark < 0) throw this.damaged()
    return this.#stack.splice(mark).slice(1)
  }

  /** Replaces arrays that were built in place by their numbers, all the way down; what is shared stays shared. */
  #value(item: Item, depth = 0): PickledValue {
    if (depth > maxDepth) throw this.#refusal('nests too deeply')
    if (item === MARK || item === undefined) throw this.damaged()
    if (typeof item !== 'object' || item === null) return item
    const done = this.#values.get(item)
    if (done !== undefined) return done
    const value = this.#convert(item, depth)
    this.#values.set(item, value)
    return value
  }

  #convert(item: Item & object, depth: number): PickledValue {
    if (item instanceof Opaque) {
      if (item.value === undefined) throw this.damaged()
      return item.value
    }
    if (Array.isArray(item)) return item.map((each) => this.#value(each as Item, depth + 1))
    if (item instanceof Map) {
      return new Map([...item].map(([key, value]) => [key, this.#value(value as Item, depth + 1)]))
    }
    return item
  }

  #refusal(fault: string): InputError {
    return new InputError(this.#subject, `${fault}; it was not read: give geometry with --like IMAGE instead`)
  }
}

/** Python's raw-unicode-escape: Latin-1 with \\u0041 and \\U00000041 for what it lacks. */
const rawUnicode = (text: string): string =>
  text.replace(/\\u([0-9a-f]{4})|\\U([0-9a-f]{8})/gi, (_, four, eight) => {
    const code = Number.parseInt(four ?? eight, 16)
    return code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code)
  })
