import { type Dirent, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { inputFault } from '../formats/file-faults.ts'
import { isImageName } from './image-names.ts'

/** What lies in a folder, in the order of names. Throws InputError where it cannot be listed. */
export function listed(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    throw inputFault(error, folder)
  }
}

/** Whether a path leads to a folder. Throws InputError where it leads nowhere. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (error) {
    throw inputFault(error, path)
  }
}

/** Whether an entry is a folder, also behind a link; a link that leads nowhere is none, and fails when it is opened. */
export function isFolderEntry(folder: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory()
  try {
    return statSync(join(folder, entry.name)).isDirectory()
  } catch {
    return false
  }
}

/** Names of images, but not of the second file of a pair. */
export function isWholeImageName(name: string): boolean {
  return isImageName(name) && !/\.img(\.gz)?$/i.test(name)
}

/** The images of a folder in the order of their names, without hidden ones and the second files of pairs. */
export function imagesIn(folder: string): string[] {
  return listed(folder)
    .map(({ name }) => name)
    .filter((name) => isWholeImageName(name) && !name.startsWith('.'))
    .map((name) => join(folder, name))
}

/** Names of things, the first three where there are many. */
export function several(names: readonly string[]): string {
  return names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} others`
}
