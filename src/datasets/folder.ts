import { readdir } from 'node:fs/promises'
import { basename, resolve } from 'node:path'

/** Names in a folder, ascending, but for hidden ones: macOS leaves `._x.nii.gz` beside `x.nii.gz`. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !name.startsWith('.')).sort()
}

/** What the data set in a folder is called: the folder's own name, whatever the path to it (`.`, `data/..`). */
export function nameOf(folder: string): string {
  return basename(resolve(folder))
}
