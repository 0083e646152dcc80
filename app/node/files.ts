// The files that the user gave, as the file system that readers see: what stands in for Node's modules in this folder
// lets formats/ and maps/ read them in a worker exactly as the command line does.
const files = new Map<string, Blob>()

/** An error as Node's file system gives it, so that readers explain it in their own words. */
export class FileError extends Error {
  readonly code: string

  constructor(code: string, path: string) {
    super(`${code}: ${path}`)
    this.code = code
  }
}

/** Paths have no leading slash: messages then call a file by the name under which it was given. */
export function normal(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

export function keepFile(path: string, blob: Blob): void {
  files.set(normal(path), blob)
}

export function forgetFiles(): void {
  files.clear()
}

export function allFiles(): string[] {
  return [...files.keys()]
}

/** The file's bytes. Throws a FileError where there is no such file. */
export function fileAt(path: string): Blob {
  const found = files.get(normal(path))
  if (found) return found
  throw new FileError(isFolder(path) ? 'EISDIR' : 'ENOENT', path)
}

export function isFolder(path: string): boolean {
  const start = normal(path)
  return start === '' || [...files.keys()].some((each) => each.startsWith(`${start}/`))
}

export interface Entry {
  readonly name: string
  readonly folder: boolean
}

/** What a folder holds. Throws a FileError where there is none. */
export function entriesOf(path: string): Entry[] {
  if (!isFolder(path)) throw new FileError(files.has(normal(path)) ? 'ENOTDIR' : 'ENOENT', path)
  const start = normal(path) === '' ? '' : `${normal(path)}/`
  const found = new Map<string, boolean>()
  for (const each of files.keys()) {
    if (!each.startsWith(start)) continue
    const [name, ...rest] = each.slice(start.length).split('/')
    found.set(name, rest.length > 0)
  }
  return [...found].map(([name, folder]) => ({ name, folder })).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** What `stat` tells. Throws a FileError where there is neither file nor folder. */
export function aboutPath(path: string) {
  const folder = files.get(normal(path)) === undefined && isFolder(path)
  const size = folder ? 0 : fileAt(path).size
  return {
    size,
    isFile: () => !folder,
    isDirectory: () => folder,
    isFIFO: () => false,
    isSocket: () => false,
    isSymbolicLink: () => false,
  }
}
