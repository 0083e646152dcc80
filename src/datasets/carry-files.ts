import { copyFile, link, lstat, readlink, realpath, rename, rm, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { inputFault, outputFault } from '../formats/file-faults.ts'
import { createFolder } from '../formats/output-folder.ts'
import { temporaryName } from '../formats/temporaries.ts'
import type { CarriedFile } from './noisy-layout.ts'

export type CarryMode = 'link' | 'copy'

/**
 * Brings a file below `folder`: as a copy, or as a second name of the same file (a hard link), which takes no space and
 * stays good when either folder is moved or removed. Where the disk has no such links, or the folders lie on two disks,
 * it is a symbolic link with the full path.
 */
export async function carryFile({ from, to }: CarriedFile, folder: string, mode: CarryMode): Promise<void> {
  const target = join(folder, to)
  const source = await realpath(from).catch((error) => {
    throw inputFault(error, from)
  })
  if (await isCarried(source, target, mode)) return
  await createFolder(dirname(target))
  const temporary = join(dirname(target), temporaryName(basename(target)))
  try {
    if (mode === 'copy') await copyFile(source, temporary)
    else await link(source, temporary).catch(() => symlink(source, temporary))
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw outputFault(error, target)
  }
}

/** Whether an earlier run has done it. */
async function isCarried(source: string, target: string, mode: CarryMode): Promise<boolean> {
  const there = await lstat(target).catch(() => undefined)
  if (there === undefined) return false
  if (there.isSymbolicLink()) return mode === 'link' && (await readlink(target)) === source
  const original = await stat(source)
  if (there.ino === original.ino && there.dev === original.dev) return mode === 'link'
  return mode === 'copy' && there.size === original.size && there.mtimeMs >= original.mtimeMs
}
