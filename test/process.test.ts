import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { createGrid, voxelCount } from '../src/volume/grid.ts'
import { halfdice, temporaryFolder } from './support/halfdice.ts'
import { distanceMm, writeImage } from './support/images.ts'

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const folder = temporaryFolder()
const grid = createGrid([96, 96, 96])
const ball = Uint8Array.from(distanceMm(grid, [48, 48, 48]), (d) => (d < 30 ? 1 : 0))
const input = writeImage(join(folder, 'ball.nii.gz'), ball, grid)

test.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM'] as const)(
  '%s in the middle leaves finished files and nothing else',
  async (signal) => {
    const out = join(folder, signal)
    const args = ['sample', input, '-o', out, '--sigma', '3', '--length', '12', '-n', '2000']
    const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.on('exit', (code, by) => resolve(by ?? code)))
    while (!existsSync(out) || readdirSync(out).filter((name) => !name.startsWith('.')).length < 3) await sleep(5)
    child.kill(signal)
    // By the signal itself, or by the exit code that a shell shows for it where files had to be removed first.
    expect([signal, signal === 'SIGINT' ? 130 : 143]).toContain(await ended)
    const files = readdirSync(out)
    expect(files.length).toBeLessThan(2000)
    for (const name of files) {
      expect(name).toMatch(/^ball_\d{4}\.nii\.gz$/)
      expect(gunzipSync(readFileSync(join(out, name)))).toHaveLength(352 + voxelCount(grid))
    }
  },
)

test('a run that ends while its threads are busy leaves nothing that they make afterwards', () => {
  const place = join(folder, 'ended')
  const module = new URL('../dist/formats/atomic-write.js', import.meta.url).href
  const script = `
    import { pbkdf2 } from 'node:crypto'
    import { watchTemporaries, writeTextAtomically } from ${JSON.stringify(module)}
    // Its only thread has work for a while, so that what it is asked to make would come after the end.
    watchTemporaries((busy) => {
      if (!busy) return
      pbkdf2('', '', 1e6, 64, 'sha512', () => {})
      setTimeout(() => process.exit(3), 20)
    })
    writeTextAtomically(${JSON.stringify(join(place, 'a.txt'))}, 'x')
  `
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(3)
  expect(readdirSync(place)).toEqual([])
})

test('a reader that goes away is no failure', async () => {
  const child = spawn(process.execPath, [main, 'optimum', input, '--sigma', '1', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.destroy()
  let stderr = ''
  child.stderr.on('data', (text) => (stderr += text))
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test.skipIf(!existsSync('/dev/full'))('standard output on a full disk is told', () => {
  const { status, stderr } = spawnSync(
    'bash',
    ['-c', 'exec "$@" > /dev/full', 'sh', process.execPath, main, '--help'],
    {
      encoding: 'utf8',
    },
  )
  expect(status).toBe(2)
  expect(stderr).toMatch(/^halfdice: standard output: no space left.*\n$/)
})

test('help of every command teaches with examples, within the width of a page', async () => {
  const { stdout } = await halfdice(['--help'])
  const commands = [...stdout.matchAll(/^ {2}([a-z]+) {2}/gm)].map(([, name]) => name).filter((name) => name !== 'help')
  expect(commands.length).toBeGreaterThan(6)
  for (const name of commands) {
    const { code, stdout: help } = await halfdice([name, '--help'])
    expect(code).toBe(0)
    expect(help, name).toMatch(/^Examples:\n(?: {2}#.*\n)? {2}\$ halfdice /m)
    for (const line of help.split('\n')) expect(line.length, line).toBeLessThanOrEqual(140)
  }
})
