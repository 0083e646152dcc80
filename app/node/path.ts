// Stands in for node:path in the page's worker; see files.ts for what a path is there.
import { normal } from './files.ts'

export const resolve = (...parts: string[]): string => normal(parts.join('/'))
export const join = resolve
export const sep = '/'

export function basename(path: string, ending = ''): string {
  const name = normal(path).split('/').at(-1) ?? ''
  return ending !== '' && name.endsWith(ending) ? name.slice(0, -ending.length) : name
}

export function dirname(path: string): string {
  return normal(path).split('/').slice(0, -1).join('/')
}

export function extname(path: string): string {
  return /.(\.[^.]*)$/.exec(basename(path))?.[1] ?? ''
}

export const isAbsolute = (): boolean => false
export const relative = (_from: string, to: string): string => normal(to)
export const posix = { resolve, join, basename, dirname, extname, isAbsolute, relative, sep }
