import { readSync, writeSync } from 'node:fs'
import { decodeNpy, type NpyArray, npyHead } from '../../formats/npy.ts'
import { bytesOf } from '../../formats/voxel-types.ts'
import { InputError } from '../../volume/errors.ts'

// A frame is a line of JSON, whose `arrays` holds lengths in bytes, and then so many `.npy` files of these lengths.
// Reading and writing block: while a program waits for one answer, nothing else is to be done, and system calls that
// move a megabyte at a time are the fastest there are.

/** A call: `arrays` decodes what came with it, in memory that the next frame overwrites. */
export interface Frame {
  readonly id: number
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
  arrays(): readonly NpyArray[]
}

/** What a call comes back with. */
export interface Answer {
  readonly id: number
  readonly result?: object
  readonly error?: { readonly kind: 'input' | 'run'; readonly message: string }
  readonly arrays: readonly NpyArray[]
}

/** Elements of any type may stand where an array begins. */
const alignment = 64
/** What is read at once where the length is not known. */
const headBytes = 1 << 16
/** Memory for arrays is kept up to here, since fresh memory costs as much as reading does; beyond, it is given back. */
const keptBytes = 1 << 28
/** A line of options is short: a longer one is no frame. */
const mostLineBytes = 1 << 24

/** Reads frames from a file descriptor. */
export class FrameReader {
  readonly #fd: number
  /** Bytes that were read, from `#at` on not used yet. */
  #head = new Uint8Array(headBytes)
  #at = 0
  #end = 0
  #memory = new Uint8Array(headBytes)

  constructor(fd: number) {
    this.#fd = fd
  }

  /** The next frame; undefined where the input ends. Throws InputError for what is no frame. */
  next(): Frame | undefined {
    if (this.#memory.length > keptBytes) this.#memory = new Uint8Array(headBytes)
    const line = this.#line()
    if (line === undefined) return undefined
    const { id, method, params, arrays } = parseHead(line)
    const starts: number[] = []
    let size = 0
    for (const length of arrays) {
      starts.push(size)
      size += Math.ceil(length / alignment) * alignment
    }
    if (size > this.#memory.length) this.#memory = new Uint8Array(size)
    const files = arrays.map((length, n) => this.#memory.subarray(starts[n], starts[n] + length))
    for (const file of files) if (!this.#fill(file)) return undefined
    return { id, method, params, arrays: () => files.map((file, n) => decodeNpy(file, `array ${n}`)) }
  }

  /** The next line, without its end. */
  #line(): string | undefined {
    for (let from = this.#at; ; ) {
      const end = this.#head.subarray(0, this.#end).indexOf(0x0a, from)
      if (end >= 0) {
        const line = new TextDecoder().decode(this.#head.subarray(this.#at, end))
        this.#at = end + 1
        return line
      }
      from = this.#end - this.#at
      this.#makeRoom()
      const count = readSome(this.#fd, this.#head.subarray(this.#end))
      if (count === 0) return undefined
      this.#end += count
    }
  }

  /** Moves unused bytes to the front, and doubles the memory where they fill it. */
  #makeRoom(): void {
    const unused = this.#head.subarray(this.#at, this.#end)
    if (unused.length > mostLineBytes) throw noFrame()
    const head = unused.length < this.#head.length ? this.#head : new Uint8Array(2 * this.#head.length)
    head.set(unused)
    this.#head = head
    this.#end = unused.length
    this.#at = 0
  }

  /** Fills `out` with the next bytes; false where the input ends before. */
  #fill(out: Uint8Array): boolean {
    const held = this.#head.subarray(this.#at, Math.min(this.#end, this.#at + out.length))
    out.set(held)
    this.#at += held.length
    for (let at = held.length; at < out.length; ) {
      const count = readSome(this.#fd, out.subarray(at))
      if (count === 0) return false
      at += count
    }
    return true
  }
}

interface Head extends Pick<Frame, 'id' | 'method' | 'params'> {
  readonly arrays: readonly number[]
}

function parseHead(line: string): Head {
  let head: Partial<Head> | null
  try {
    head = JSON.parse(line)
  } catch {
    throw noFrame()
  }
  const { id = 0, method = '', params = {}, arrays = [] } = head ?? {}
  const sound = Array.isArray(arrays) && arrays.every((length) => Number.isSafeInteger(length) && length >= 0)
  if (!sound || method === '') throw noFrame()
  return { id, method, params, arrays }
}

function noFrame(): InputError {
  return new InputError('standard input', 'holds no call; serve is for programs, as docs/python.md tells')
}

/** Writes an answer; false where nobody reads any more. */
export function writeFrame(fd: number, { arrays, ...head }: Answer): boolean {
  const heads = arrays.map(npyHead)
  const lengths = arrays.map(({ data }, n) => heads[n].length + data.byteLength)
  const line = new TextEncoder().encode(`${JSON.stringify({ ...head, arrays: lengths })}\n`)
  const parts = [line, ...arrays.flatMap(({ data }, n) => [heads[n], bytesOf(data)])]
  try {
    for (const part of joined(parts)) writeAll(fd, part)
    return true
  } catch (error) {
    if (codeOf(error) === 'EPIPE') return false
    throw error
  }
}

/** Small parts as one, for one system call. */
function joined(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const size = parts.reduce((sum, { length }) => sum + length, 0)
  return size <= headBytes ? [Buffer.concat(parts)] : parts
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at)
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error
      pause()
    }
  }
}

/** As many bytes as there are, at least one; 0 at the end of the input. */
function readSome(fd: number, out: Uint8Array): number {
  for (;;) {
    try {
      return readSync(fd, out)
    } catch (error) {
      // How Windows tells the end of a pipe.
      if (codeOf(error) === 'EOF') return 0
      if (codeOf(error) !== 'EAGAIN') throw error
      pause()
    }
  }
}

/** Some programs hand over pipes that do not block: there is nothing to do but to ask again. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
