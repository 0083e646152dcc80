import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { readOwnFile } from '../formats/read-file.ts'

/** How often a holder gives a sign of life, and after how long without one it counts as dead. */
export interface Pulse {
  readonly beatMs: number
  readonly staleMs: number
}

const pulse: Pulse = { beatMs: 5_000, staleMs: 60_000 }

/** A claim on a piece of work among processes, and machines, that share a folder. */
export interface Claim {
  /** Aborted when another process has taken the claim over, after this one was suspended or cut off from the disk. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

/** Claims that this process holds. Its process number is not enough: in containers every run may have the same. */
const held = new Set<string>()

/** Who holds a claim. */
export interface Holder {
  readonly host: string
  readonly pid: number
  readonly token: string
}

/** Stands for the holder of a damaged or empty file: it is being written, or its writer died while writing. */
const nobody: Holder = { host: '', pid: 0, token: '' }

/**
 * Claims `path`, a file that stands for a piece of work, or returns undefined where a living process holds it. The file
 * names its holder; its time is the holder's last sign of life. A holder on this machine that is gone, and any
 * that has been silent for a minute (by the disk's clock), is replaced. Where clocks disagree, so that the last sign of
 * life lies in the future, the file is watched for a few seconds: a living holder writes to it.
 *
 * Claims only save work; results do not depend on them: they are renamed into place whole, and are the same whoever
 * makes them.
 */
export async function claim(path: string, times: Pulse = pulse): Promise<Claim | undefined> {
  await mkdir(dirname(path), { recursive: true })
  const own: Holder = { host: hostname(), pid: process.pid, token: randomBytes(8).toString('hex') }
  // Before the file can be read by others.
  held.add(own.token)
  let file: FileHandle | undefined
  try {
    file = await createOrDisplace(path, own, times)
  } finally {
    if (file === undefined) held.delete(own.token)
  }
  return file && keep(path, own, file, times)
}

async function createOrDisplace(path: string, own: Holder, times: Pulse): Promise<FileHandle | undefined> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const file = await create(path, own)
    if (file !== undefined) return file
    const holder = await holderOf(path)
    if (holder === undefined) continue
    if (await isAlive(path, holder, times)) return undefined
    await displace(path, holder, times)
  }
  return undefined
}

/** The living process that holds `path`, if there is one. */
export async function livingHolder(path: string, times: Pulse = pulse): Promise<Holder | undefined> {
  const holder = await holderOf(path)
  return holder !== undefined && (await isAlive(path, holder, times)) ? holder : undefined
}

/** All claims in a folder and the folders below it. */
export async function claimsBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])
  return entries.filter(({ name }) => name.endsWith('.claim')).map(({ parentPath, name }) => join(parentPath, name))
}

async function create(path: string, own: Holder): Promise<FileHandle | undefined> {
  let file: FileHandle
  try {
    file = await open(path, 'wx')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined
    throw error
  }
  try {
    await sign(file, own)
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * Written, not touched: so the disk's clock sets the file's time. Machines that share a disk may disagree on theirs.
 */
async function sign(file: FileHandle, own: Holder): Promise<void> {
  await file.write(JSON.stringify(own), 0)
  await file.datasync()
}

function keep(path: string, own: Holder, file: FileHandle, { beatMs }: Pulse): Claim {
  const controller = new AbortController()
  const beat = async () => {
    const holder = await holderOf(path)
    if (holder?.token !== own.token) return controller.abort(new Error('another run has taken this work over'))
    await sign(file, own).catch(() => undefined)
  }
  const timer = setInterval(beat, beatMs)
  timer.unref()
  return {
    lost: controller.signal,
    async release() {
      clearInterval(timer)
      held.delete(own.token)
      await file.close()
      const holder = await holderOf(path)
      if (holder?.token === own.token) await rm(path, { force: true })
    },
  }
}

/** Whoever the file names; undefined where there is no file. */
async function holderOf(path: string): Promise<Holder | undefined> {
  const text = await readOwnFile(path)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(String(text))
    return isHolder(value) ? value : nobody
  } catch {
    return nobody
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== 'object' || value === null) return false
  const { host, pid, token } = value as Partial<Record<keyof Holder, unknown>>
  return typeof host === 'string' && Number.isInteger(pid) && Number(pid) > 0 && typeof token === 'string'
}

async function isAlive(path: string, { host, pid, token }: Holder, times: Pulse): Promise<boolean> {
  if (host === hostname()) {
    if (pid === process.pid) return held.has(token)
    if (!isRunning(pid)) return false
    // Another process may have got the number since, so signs of life count here too.
  }
  const age = await ageMs(path)
  // A file's time may be a little ahead: disks round it.
  if (age < -times.beatMs) return isBeating(path, times)
  return age < (host === '' ? times.beatMs : times.staleMs)
}

/** Whether anybody writes to the file while we look, whatever its time says. */
async function isBeating(path: string, { beatMs }: Pulse): Promise<boolean> {
  const timeOf = () =>
    stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    )
  const before = await timeOf()
  for (let waited = 0; waited < 2.5 * beatMs; waited += beatMs / 10) {
    await new Promise((resolve) => setTimeout(resolve, beatMs / 10))
    const now = await timeOf()
    if (now !== before) return now !== undefined
  }
  return false
}

/**
 * How long ago a file was written, by the clock of the disk, which two machines share, not by their own. Negative where
 * its time lies in the future; infinite where it is gone.
 */
async function ageMs(path: string): Promise<number> {
  const probe = `${path}.${randomBytes(6).toString('hex')}.now`
  await writeFile(probe, '')
  try {
    const [now, beat] = await Promise.all([stat(probe), stat(path)])
    return now.mtimeMs - beat.mtimeMs
  } catch {
    return Number.POSITIVE_INFINITY
  } finally {
    await rm(probe, { force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Removes the file if it still is the dead holder's. One process at a time may: a second one that saw the dead holder
 * too could otherwise remove the claim that the first has made meanwhile.
 */
async function displace(path: string, dead: Holder, { beatMs }: Pulse): Promise<void> {
  const lock = `${path}.displace`
  let file: FileHandle
  try {
    file = await open(lock, 'wx')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    // Held for a moment only, unless its holder was killed in it.
    if (Math.abs(await ageMs(lock)) > beatMs) await rm(lock, { force: true })
    return
  }
  try {
    if ((await holderOf(path))?.token === dead.token) await rm(path, { force: true })
  } finally {
    await file.close()
    await rm(lock, { force: true })
  }
}
