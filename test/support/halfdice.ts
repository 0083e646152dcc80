import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect } from 'vitest'
import { type Outcome, runInProcess } from './in-process.ts'

export type { Outcome } from './in-process.ts'

/** Whether commands run inside the test's own process, from the sources: mutation tests see what they cover only so. */
export const inProcess = process.env.HALFDICE_IN_PROCESS === '1'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
if (!inProcess && !existsSync(main)) throw new Error('dist/ is missing; run `npm run build` first (npm test does)')

/** Runs the built command line as a process of its own (see `inProcess`). */
export function halfdice(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  if (inProcess) return runInProcess(args, options)
  return new Promise<Outcome>((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: { ...process.env, HALFDICE_DEBUG: '', ...options.env },
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const hung = killWhereNodeHangs(child)
    child
      .on('error', reject)
      .on('close', (code) => resolve(hung() ? halfdice(args, options) : { code, stdout, stderr }))
  })
}

/**
 * Node 20 hangs as it ends where V8 still optimises in the background and asks for a collection, now and then
 * (nodejs/node#54918): a process without children that uses no time is killed. Returns whether it was.
 */
function killWhereNodeHangs(child: ChildProcess): () => boolean {
  let killed = false
  if (!process.version.startsWith('v20.') || process.platform !== 'linux') return () => false
  let before = ''
  const watch = setInterval(() => {
    const now = processorTime(child.pid)
    killed = now !== '' && now === before
    before = now
    if (!killed) return
    console.warn(`Node hung as ${child.spawnargs.slice(2).join(' ')} ended: run again`)
    child.kill('SIGKILL')
  }, 10_000)
  child.on('close', () => clearInterval(watch))
  return () => killed
}

/** Ticks of a process in its own code and in the system's; empty where it has children or is not there any more. */
function processorTime(pid: number | undefined): string {
  try {
    if (readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8') !== '') return ''
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
      .slice(11, 13)
      .join(' ')
  } catch {
    return ''
  }
}

/** As `halfdice`, with `--json`; fails unless the run succeeds and prints one JSON object and nothing else. */
export async function halfdiceJson<T>(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<T> {
  const { code, stdout, stderr } = await halfdice([...args, '--json'], options)
  expect(code, stderr).toBe(0)
  expect(stdout.trim().split('\n')).toHaveLength(1)
  return JSON.parse(stdout)
}

/** Expects exit code 2, one line `halfdice: SUBJECT: FAULT; REMEDY` and no stack, and nothing on standard output. */
export function expectRefusal({ code, stdout, stderr }: Outcome, says: string | RegExp): void {
  expect(stderr).toMatch(/^halfdice: .+: .+\n$/)
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  expect(stderr).not.toMatch(/\bat .*:\d+:\d+/)
  expect(stderr).toMatch(says)
  expect(stdout).toBe('')
  expect(code).toBe(2)
}

/** A folder that is removed when the test file is done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'halfdice-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** All files below a folder, as relative paths. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

const shared = fileURLToPath(new URL('../../../shared/data/', import.meta.url))

/** Path of a shared data file, and whether the shared data are there (tests on them are skipped otherwise). */
export function sharedData(path = ''): string {
  return join(shared, path)
}
export const hasSharedData = existsSync(shared)
