import { CommanderError } from 'commander'
import { isOutOfMemory, outOfMemory } from '../formats/memory.ts'
import { tell } from './print.ts'

/** Prints what went wrong as one line on standard error and returns the exit code it deserves. */
export function report(error: unknown): number {
  // Help was asked for (0), or shown because no command was given (bad usage).
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const { code, text } = describe(error)
  tell(text)
  if (process.env.HALFDICE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return code
}

/** The line and the exit code for an error: 2 for what the user can mend, 1 for a failed run or a defect. */
export function describe(error: unknown): { code: number; text: string } {
  if (isExpected(error)) return { code: 2, text: error.message }
  if (error instanceof Error && error.name === 'RunError') return { code: 1, text: error.message }
  if (isSystemError(error)) {
    return { code: 2, text: `${error.path ?? error.syscall ?? 'system'}: ${systemFault(error)}` }
  }
  const message = error instanceof Error ? error.message : String(error)
  if (isOutOfMemory(error)) return { code: 1, text: outOfMemory('halfdice').message }
  return {
    code: 1,
    text:
      `internal error: ${message.replace(/\s*\n\s*/g, ' ')}; run again with HALFDICE_DEBUG=1 and ` +
      'report what it prints',
  }
}

/** By name: an error that crossed a worker thread has lost its class. */
function isExpected(error: unknown): error is Error {
  return error instanceof Error && (error.name === 'InputError' || error.name === 'OutputError')
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error && typeof error.code === 'string'
}

function systemFault(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
      return 'no such file or folder; check the path'
    case 'EACCES':
    case 'EPERM':
      return 'permission denied; check its owner and permissions'
    case 'EROFS':
      return 'the file system is read-only; write somewhere else'
    case 'ENOSPC':
    case 'EDQUOT':
      return 'no space left on the disk; free some or write somewhere else'
    case 'EISDIR':
      return 'is a folder; give a file'
    case 'ENOTDIR':
      return 'a part of the path is a file, not a folder; check the path'
    case 'EMFILE':
    case 'ENFILE':
      return 'too many open files; raise the limit (ulimit -n)'
    default:
      return `${error.message}; check the path and the disk`
  }
}
