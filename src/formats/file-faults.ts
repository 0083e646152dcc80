import { InputError, OutputError } from '../volume/errors.ts'

/** Faults of reading that are the input's own, by Node's error code, each with its remedy. */
const inputFaults: Readonly<Record<string, string>> = {
  ENOENT: 'no such file; check the path',
  ENOTDIR: 'no such file (a part of its path is not a folder); check the path',
  EISDIR: 'is a folder; give a file',
  EACCES: 'may not be read; check its permissions',
  EPERM: 'may not be read; check its permissions',
  ELOOP: 'is a symbolic link that leads to itself; give the real file',
  ENAMETOOLONG: 'has too long a name; check the path',
  EIO: 'cannot be read (input/output error); check the device',
  ERR_INVALID_ARG_VALUE: 'is no valid file name; check the path',
  ERR_FS_FILE_TOO_LARGE: 'is larger than 2 GiB; it cannot be a file of this kind',
  Z_BUF_ERROR: 'is truncated (its compressed data end early); copy or download it again',
  Z_DATA_ERROR: 'is damaged (its compressed data are invalid); copy or download it again',
}

const outputFaults: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist; create it first',
  ENOTDIR: 'a part of its path is not a folder; choose another path',
  EISDIR: 'is a folder; give a file name',
  ENOTEMPTY: 'is a folder; give a file name',
  EEXIST: 'is a folder; give a file name',
  EACCES: 'may not be written; check the permissions of its folder',
  EPERM: 'may not be written; check the permissions of its folder',
  EROFS: 'lies on a read-only file system; choose another folder',
  ENAMETOOLONG: 'has too long a name; choose a shorter one',
  ERR_INVALID_ARG_VALUE: 'is no valid file name; choose another',
}

const machineFaults: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space and run again',
  EDQUOT: 'the disk quota is used up; free some space and run again',
  EFBIG: 'is larger than the file system or a limit allows; choose another folder',
  EIO: 'the disk reported an input/output error; check the device',
}

/** The InputError that an error of reading `path` amounts to, or the error itself where it is a defect. */
export function inputFault(error: unknown, path: string): unknown {
  const code = codeOf(error)
  return code !== undefined && code in inputFaults ? new InputError(path, inputFaults[code]) : error
}

/**
 * What an error of writing `path` amounts to: an InputError where another path would do, an OutputError where the
 * machine is at fault, or the error itself.
 */
export function outputFault(error: unknown, path: string): unknown {
  const code = codeOf(error)
  if (code === undefined) return error
  if (code in machineFaults) return new OutputError(path, machineFaults[code])
  return code in outputFaults ? new InputError(path, outputFaults[code]) : error
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : undefined
}
