import { readOwnFile } from '../formats/read-file.ts'
import { InputError } from '../volume/errors.ts'

/**
 * What a finished cell has left in a file.
 *
 * @throws InputError where the file is missing or `parse` throws: cells are written whole, so the disk or a hand was at
 *   fault, and the cell has to be made again
 */
export async function readCellFile<T>(path: string, parse: (text: string) => T): Promise<T> {
  const bytes = await readOwnFile(path)
  try {
    if (bytes !== undefined) return parse(String(bytes))
  } catch {
    // Reported below.
  }
  throw new InputError(path, 'is missing or damaged; delete the folder it lies in and run the study again')
}

/** The lines of a log, each an object. Throws a SyntaxError where one is no JSON. */
export function parseLog<T extends object>(text: string): T[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T)
}
