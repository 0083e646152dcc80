import { existsSync } from 'node:fs'
import { isAbsolute, posix, relative, resolve } from 'node:path'
import { InputError } from '../volume/errors.ts'
import { caseName } from './image-names.ts'
import { slashed } from './slashed.ts'

/** A file, and what it says of its case's name. */
export interface MatchedFile {
  readonly path: string
  /** What stands where the pattern has `{case}`; else the file's name. */
  readonly name: string
  /** Whether the pattern says where the name stands. */
  readonly named: boolean
}

/** Whether a path is to be matched: it holds `{case}`, or `*` or `?` and no file is called so. */
export function isPattern(path: string): boolean {
  return path.includes('{case}') || (/[*?]/.test(path) && !existsSync(path))
}

/**
 * The files that a pattern names, in the order of their paths. `*` and `?` stand for parts of a name, `**` for folders
 * below each other, `[…]` for one of some characters, and `{case}` for the case's name, in a folder or in a file, or in
 * several places.
 *
 * @throws InputError where no file matches
 */
export async function matchFiles(pattern: string): Promise<MatchedFile[]> {
  // Loaded where it is needed: most runs name files and folders.
  const { glob } = await import('tinyglobby')
  const forward = posix.normalize(slashed(pattern))
  const paths = await glob(forward.replaceAll('{case}', '*'), { dot: false, expandDirectories: false, absolute: true })
  const named = forward.includes('{case}')
  // Where the pattern starts, so that nothing above that is read as a part of it.
  const [up] = /^(\.\.\/)*/.exec(forward) ?? ['']
  const [start, expression] = [resolve(up), expressionOf(forward.slice(up.length))]
  const files = paths.sort().flatMap((found): MatchedFile[] => {
    const path = isAbsolute(pattern) ? found : relative('', found)
    if (!named) return [{ path, name: caseName(path), named }]
    const name = expression.exec(isAbsolute(pattern) ? found : slashed(relative(start, found)))?.groups?.case
    return name === undefined ? [] : [{ path, name, named }]
  })
  if (files.length === 0) throw new InputError(pattern, 'matches no file; correct the pattern')
  return files
}

/** The pattern as a regular expression with a group `case`. */
function expressionOf(pattern: string): RegExp {
  let seen = false
  const parts = pattern.split(/(\{case\}|\*\*\/|\*|\?|\[[^\]]*\])/).map((part) => {
    if (part === '{case}') {
      if (seen) return '\\k<case>'
      seen = true
      return '(?<case>[^/]+?)'
    }
    if (part === '**/') return '(?:[^/]+/)*'
    if (part === '*') return '[^/]*'
    if (part === '?') return '[^/]'
    if (/^\[.*\]$/s.test(part)) return part.replace(/^\[!/, '[^')
    return part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('')}$`)
}
