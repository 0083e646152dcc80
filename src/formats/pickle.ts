import { InputError } from '../volume/errors.ts'
import { PickleBudget } from './pickle-budget.ts'
import { PickleBytes } from './pickle-bytes.ts'
import { literalReaders } from './pickle-literals.ts'
import {
  build,
  fillMap,
  type Item,
  made,
  named,
  Opaque,
  type PickledValue,
  stackMark,
  Unreadable,
} from './pickle-objects.ts'

export type { PickledValue }

/** Deep enough for any properties file, shallow enough that reading back cannot exhaust the stack. */
const maxDepth = 100

/**
 * Reads a Python pickle (protocols 0 to 5) that holds plain data: dict, list, tuple, str, bytes, int, float, bool,
 * None, OrderedDict, and NumPy arrays and scalars of numbers. Nothing is ever called or imported: the few names that
 * plain data need are recognised, every other name, and so every pickle that would run code, is refused.
 *
 * Integers beyond 2⁵³ become the nearest number. Keys of dictionaries become strings. An array of more than 65,536
 * numbers is passed over (an `Opaque`), and a pickle that makes more of its bytes than they can stand for is refused,
 * so that neither time nor memory exceeds a multiple of the file's size.
 *
 * @throws InputError where the pickle asks for code, or is damaged
 *
 * @example
 * const properties = decodePickle(readFileSync('case.pkl'), 'case.pkl') as Map
 * properties.get('spacing') // [3, 0.8, 0.8]
 */
export function decodePickle(bytes: Uint8Array, subject: string): PickledValue {
  try {
    return new Machine(bytes).run()
  } catch (error) {
    if (error instanceof RangeError) throw new InputError(subject, 'is no pickle, or a damaged one; write it again')
    if (!(error instanceof Unreadable)) throw error
    throw new InputError(subject, `${error.message}; it was not read: give geometry with --like IMAGE instead`)
  }
}

class Machine {
  readonly #bytes: PickleBytes
  readonly #budget: PickleBudget
  readonly #stack: Item[] = []
  readonly #memo = new Map<number, Item>()
  readonly #values = new Map<object, PickledValue>()

  constructor(bytes: Uint8Array) {
    this.#bytes = new PickleBytes(bytes)
    this.#budget = new PickleBudget(bytes.length)
  }

  run(): PickledValue {
    while (true) {
      this.#budget.step()
      const op = String.fromCharCode(this.#bytes.u8())
      if (op === '.') return this.#value(this.#pop())
      this.#step(op)
    }
  }

  #step(op: string): void {
    const [stack, bytes] = [this.#stack, this.#bytes]
    const literal = literalReaders.get(op)
    if (literal !== undefined) {
      stack.push(literal(bytes))
      return
    }
    switch (op) {
      case '\x80': // PROTO
        if (bytes.u8() > 5) throw new Unreadable('is a pickle of an unknown protocol')
        return
      case '\x95': // FRAME
        bytes.skip(8)
        return
      case '(':
        stack.push(stackMark)
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
      case ']':
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
      case 'd':
        stack.push(fillMap(new Map(), this.#toMark()))
        return
      case '\x85':
      case '\x86':
      case '\x87': {
        const n = op.charCodeAt(0) - 0x84
        if (stack.length < n) throw incoherent()
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
        fillMap(stack.at(-1), [key, value])
        return
      }
      case 'u': {
        const items = this.#toMark()
        fillMap(stack.at(-1), items)
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
        stack.push(named(`${bytes.line()} ${bytes.line()}`))
        return
      case '\x93': {
        const name = this.#pop()
        const module = this.#pop()
        if (typeof name !== 'string' || typeof module !== 'string') throw incoherent()
        stack.push(named(`${module} ${name}`))
        return
      }
      case 'R': {
        const args = this.#pop()
        const callable = this.#pop()
        if (!(callable instanceof Opaque) || !Array.isArray(args)) throw incoherent()
        stack.push(made(callable.name, args, this.#budget))
        return
      }
      case 'b': {
        const state = this.#pop()
        build(stack.at(-1), state, this.#budget)
        return
      }
      default:
        throw new Unreadable(`holds more than plain data (opcode 0x${op.charCodeAt(0).toString(16).padStart(2, '0')})`)
    }
  }

  #append(items: readonly Item[]): void {
    const list = this.#stack.at(-1)
    if (!Array.isArray(list)) throw incoherent()
    for (const item of items) list.push(item)
  }

  #recall(index: number): void {
    if (!this.#memo.has(index)) throw incoherent()
    this.#stack.push(this.#memo.get(index))
  }

  #pop(): Item {
    const item = this.#stack.pop()
    if (item === stackMark || item === undefined) throw incoherent()
    return item
  }

  #toMark(): Item[] {
    const mark = this.#stack.lastIndexOf(stackMark)
    if (mark < 0) throw incoherent()
    return this.#stack.splice(mark).slice(1)
  }

  /** Replaces arrays that were built in place by their numbers, all the way down; what is shared stays shared. */
  #value(item: Item, depth = 0): PickledValue {
    if (depth > maxDepth) throw new Unreadable('nests too deeply')
    if (item === stackMark || item === undefined) throw incoherent()
    if (typeof item !== 'object' || item === null) return item
    const done = this.#values.get(item)
    if (done !== undefined) return done
    const value = this.#convert(item, depth)
    this.#values.set(item, value)
    return value
  }

  #convert(item: Item & object, depth: number): PickledValue {
    if (item instanceof Opaque) {
      if (item.name === 'voxels') return item
      if (item.value === undefined) throw incoherent()
      return item.value
    }
    if (Array.isArray(item)) return item.map((each) => this.#value(each as Item, depth + 1))
    if (item instanceof Map) {
      return new Map([...item].map(([key, value]) => [key, this.#value(value as Item, depth + 1)]))
    }
    return item
  }
}

function incoherent(): RangeError {
  return new RangeError('a pickle whose parts do not fit together')
}
