import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { looksLikeDicom } from './signature.ts'

/** Files of a folder that are looked into: a series is DICOM from its first file on. */
const mostFiles = 4

/** Whether a folder holds DICOM files, by their names, or by the first bytes of some. */
export function holdsDicom(folder: string): boolean {
  const files = filesIn(folder)
  if (files.some((name) => /\.(dcm|ima)$/i.test(name))) return true
  return files.slice(0, mostFiles).some((name) => beginsAsDicom(join(folder, name)))
}

/** Without what has a name of another format, and DICOMDIR, which only lists. */
function filesIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile() || entry.isSymbolicLink()).map(({ name }) => name)
    return files.filter((name) => !/^\.|^DICOMDIR$|\.(nii|gz|nrrd|mha|json|np[yz]|pkl|txt|csv)$/i.test(name)).sort()
  } catch {
    return []
  }
}

function beginsAsDicom(path: string): boolean {
  try {
    const file = openSync(path, 'r')
    try {
      const start = new Uint8Array(132)
      return looksLikeDicom(start.subarray(0, readSync(file, start, 0, start.length, 0)))
    } finally {
      closeSync(file)
    }
  } catch {
    return false
  }
}
