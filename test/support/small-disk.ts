import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Mounts so many kB of memory at a new folder; false where that is not allowed. */
export function mountSmallDisk(folder: string, kilobytes: number): boolean {
  mkdirSync(folder)
  const options = ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'halfdice-test', folder]
  return spawnSync('mount', options).status === 0
}

export function growSmallDisk(folder: string, kilobytes: number): void {
  execFileSync('mount', ['-o', `remount,size=${kilobytes}k`, folder])
}

export function unmountSmallDisk(folder: string): void {
  execFileSync('umount', [folder])
}

/** Whether this process may mount: root on Linux, and not in every container. */
export function canMountSmallDisk(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const parent = mkdtempSync(join(tmpdir(), 'halfdice-mount-'))
  const folder = join(parent, 'probe')
  const mounted = mountSmallDisk(folder, 64)
  if (mounted) unmountSmallDisk(folder)
  rmSync(parent, { recursive: true })
  return mounted
}
