import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { claim, livingHolder } from './claim.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-claim-'))
afterAll(() => rmSync(root, { recursive: true }))
afterEach(() => {
  vi.useRealTimers()
})
const path = (name: string) => join(root, name)

test('one of many gets it, and after release another', async () => {
  const claims = await Promise.all(Array.from({ length: 20 }, () => claim(path('a'))))
  const held = claims.filter((one) => one !== undefined)
  expect(held.length).toBe(1)
  expect(await claim(path('a'))).toBeUndefined()
  await held[0].release()
  expect(existsSync(path('a'))).toBe(false)
  expect(await claim(path('a'))).toBeDefined()
})

test("a dead process's claim is replaced at once, a living one's not while it gives signs of life", async () => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'])
  const { host } = JSON.parse(readFileSync(path('a'), 'utf8')) as { host: string }
  writeFileSync(path('b'), JSON.stringify({ host, pid: child.pid, token: 'x' }))
  expect(await claim(path('b'))).toBeUndefined()
  child.kill('SIGKILL')
  await once(child, 'exit')
  const claims = await Promise.all(Array.from({ length: 10 }, () => claim(path('b'))))
  expect(claims.filter((one) => one !== undefined).length).toBe(1)
  expect(readdirSync(root).filter((name) => name.startsWith('.'))).toEqual([])
})

test('a claim of an earlier process with our own number is replaced, as in a container that starts again', async () => {
  const { host } = JSON.parse(readFileSync(path('a'), 'utf8')) as { host: string }
  writeFileSync(path('e'), JSON.stringify({ host, pid: process.pid, token: 'x' }))
  expect(await claim(path('e'))).toBeDefined()
})

test("another machine's claim holds while it gives signs of life", async () => {
  writeFileSync(path('c'), JSON.stringify({ host: 'elsewhere', pid: 1, token: 'x' }))
  expect(await claim(path('c'))).toBeUndefined()
  const longAgo = Date.now() / 1000 - 61
  utimesSync(path('c'), longAgo, longAgo)
  expect(await claim(path('c'))).toBeDefined()
})

test('a claim that was taken over is told so, and is not released by its former holder', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const held = await claim(path('d'))
  const other = JSON.stringify({ host: 'elsewhere', pid: 1, token: 'x' })
  writeFileSync(path('d'), other)
  vi.advanceTimersByTime(6000)
  await vi.waitFor(() => expect(held?.lost.aborted).toBe(true))
  await held?.release()
  expect(readFileSync(path('d'), 'utf8')).toBe(other)
})

test('a file that names nobody is damaged: a claim being written for a moment, then replaced', async () => {
  for (const text of ['null', '3', '[]', '{}', '{"host":"x","pid":"1","token":"y"}', '{"host":"x"', '']) {
    writeFileSync(path('g'), text)
    expect(await claim(path('g')), text).toBeUndefined()
    const ago = Date.now() / 1000 - 6
    utimesSync(path('g'), ago, ago)
    const held = await claim(path('g'))
    expect(held, text).toBeDefined()
    await held?.release()
  }
})

test('a claim dated in the future holds only while somebody writes to it', async () => {
  const times = { beatMs: 200, staleMs: 60_000 }
  const ahead = (hours: number) => Date.now() / 1000 + 3600 * hours
  writeFileSync(path('f'), JSON.stringify({ host: 'elsewhere', pid: 1, token: 'x' }))
  utimesSync(path('f'), ahead(5), ahead(5))
  expect(await livingHolder(path('f'), times)).toBeUndefined()
  // A machine whose clock is ahead, and which is alive.
  let hours = 5
  const beating = setInterval(() => utimesSync(path('f'), ahead(hours), ahead((hours += 0.001))), 50)
  expect(await livingHolder(path('f'), times)).toMatchObject({ host: 'elsewhere' })
  expect(await claim(path('f'), times)).toBeUndefined()
  clearInterval(beating)
  const held = await claim(path('f'), times)
  expect(held).toBeDefined()
  await held?.release()
})
