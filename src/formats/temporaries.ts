import { readlinkSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { streamSeed } from '../volume/random.ts'

/**
 * The name of a temporary file: hidden, unique, and telling who writes it:
 * `.liver.nii.gz.4711-0a1b2c3d-9f8e7d6c5b4a.tmp` is process 4711's on the machine of key 0a1b2c3d.
 */
export function temporaryName(name: string): string {
  // File systems allow 255 bytes; a character of a name takes up to 4.
  const start = [...name].slice(0, 40).join('')
  return `.${start}.${process.pid}-${machine()}-${hex(Math.random() * 2 ** 48, 12)}.tmp`
}

/** By no means of node:crypto, which takes longer to load than a small map to cut. */
function hex(value: number, digits: number): string {
  return Math.floor(value).toString(16).padStart(digits, '0')
}

const pattern = /^\..*\.(\d+)-([0-9a-f]{8})-[0-9a-f]{12}\.tmp$/s

const swept = new Set<string>()

/** Removes what killed runs left in a folder of files that they were writing; once a folder and process. */
export async function removeLeftovers(folder: string): Promise<void> {
  const full = resolve(folder)
  if (swept.has(full)) return
  swept.add(full)
  // A folder that cannot be listed is no reason to fail: what matters is whether it can be written in.
  for (const name of await readdir(full).catch(() => [])) {
    const [, writer, where] = pattern.exec(name) ?? []
    if (writer === undefined) continue
    const path = join(full, name)
    if ((where === machine() && !isAlive(Number(writer))) || (await isForgotten(path))) {
      await rm(path, { recursive: true, force: true }).catch(() => {})
    }
  }
}

/** No write pauses for a day: its process has ended, even if it ran elsewhere or another process has got its number. */
const longestPauseMs = 86_400_000

async function isForgotten(path: string): Promise<boolean> {
  const about = await stat(path).catch(() => undefined)
  return about !== undefined && Date.now() - about.mtimeMs > longestPauseMs
}

function isAlive(process_: number): boolean {
  try {
    // Signal 0 only asks.
    return process.kill(process_, 0)
  } catch (error) {
    // Another user's process may not be signalled, but lives.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

let key: string | undefined

/** Where the numbers of processes mean the same: this machine and, on Linux, this container. */
function machine(): string {
  return (key ??= hex(streamSeed(0, `${hostname()} ${numbering()}`) % 2 ** 32, 8))
}

function numbering(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}
