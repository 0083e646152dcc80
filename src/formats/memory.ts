import { readFileSync } from 'node:fs'
import { RunError } from '../volume/errors.ts'

/** What an error says where memory ran out: of arrays, WebAssembly and V8 itself. */
const outOfMemoryPattern =
  /allocation failed|out of memory|could not allocate|WebAssembly\.Memory\(\)|^Invalid array buffer/i

/** Whether an error means that memory ran out. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && outOfMemoryPattern.test(error.message)
}

/** What to tell where memory ran out: whether this machine is too small or a limit set on the process. */
export function outOfMemory(subject: string): RunError {
  const limit = addressSpaceLimit()
  const fault =
    limit === undefined
      ? 'memory ran out; use a machine with more memory, or crop the image'
      : `memory ran out: this process may use ${(limit / 1e9).toFixed(1)} GB of address space; raise the limit ` +
        '(ulimit -v, or the one of the batch system), of which Node itself needs some GB'
  return new RunError(subject, fault)
}

/** `ulimit -v` in bytes; undefined where there is none or the system does not say. */
function addressSpaceLimit(): number | undefined {
  try {
    const soft = /^Max address space\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}

/** What a process takes before it has read anything. */
const processBytes = 150e6

/**
 * How many cases may be at work at a time, each in a process of its own, where each needs so many bytes: as many as
 * were asked for, as far as four fifths of the memory that is free hold them, and at least one.
 */
export function casesAtATime(asked: number, bytesPerCase: number): number {
  const held = Math.floor((0.8 * process.availableMemory()) / (bytesPerCase + processBytes))
  return Math.max(1, Math.min(asked, held))
}
