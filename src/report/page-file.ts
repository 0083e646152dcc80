import { InputError } from '../volume/errors.ts'

/** How names of pages end. */
export const pageEnding = /\.html?$/i

/** The file of a page. Throws InputError where the name is not that of one. */
export function pageFile(path: string): string {
  if (!pageEnding.test(path)) throw new InputError(path, 'is no name for a page; end it in .html')
  return path
}
