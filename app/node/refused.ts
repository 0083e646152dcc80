// Stands in for Node's modules of which nothing is needed in a page: threads, temporary folders, names of machines.
export const tmpdir = (): string => ''
export const hostname = (): string => 'page'
export const availableParallelism = (): number => navigator.hardwareConcurrency
export const promisify = (call: unknown): unknown => call
export const fileURLToPath = (url: string | URL): string => String(url)
export const pathToFileURL = (path: string): URL => new URL(path)

function refuse(): never {
  throw new Error('a page cannot do this; use the command line')
}

export { refuse as createHash, refuse as createRequire, refuse as randomBytes, refuse as Worker }
