import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Checkpoint } from '../network/checkpoint.ts'
import { openRunFolder } from './run-folder.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-checkpoint-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'checkpoint.bin')
const checkpoint: Checkpoint = {
  step: 7,
  state: {
    parameters: Float32Array.of(1, 2, 3),
    firstMoment: Float32Array.of(4, 5, 6),
    // 10 is the byte that ends lines.
    secondMoment: new Float32Array(new Uint8Array(12).fill(10).buffer),
  },
  log: ['{"epoch":1,"é":"a"}', '{"epoch":2}'],
}

const load = async (plan = 'plan') => (await openRunFolder(folder, plan)).found
const save = async () => (await openRunFolder(folder, 'plan')).save(checkpoint)
const log = () => readFileSync(join(folder, 'log.jsonl'), 'utf8')

test('what is saved is loaded, and the log ends where the checkpoint does', async () => {
  expect(await load()).toBeUndefined()
  await save()
  expect(await load()).toEqual(checkpoint)
  expect(log()).toBe('{"epoch":1,"é":"a"}\n{"epoch":2}\n')
  // Killed before the log was written: the next run writes it.
  writeFileSync(join(folder, 'log.jsonl'), '{"epoch":1,"é":"a"}\n')
  await load()
  expect(log()).toBe('{"epoch":1,"é":"a"}\n{"epoch":2}\n')
  await expect(load('another')).rejects.toThrow(`${path}: was written by a run with other settings`)
  expect(readdirSync(folder).sort()).toEqual(['checkpoint.bin', 'log.jsonl'])
})

test('a change of any byte, and any cut, is noticed', async () => {
  const whole = readFileSync(path)
  for (let i = 0; i < whole.length; i++) {
    const bytes = Buffer.from(whole)
    bytes[i] ^= 1
    writeFileSync(path, bytes)
    await expect(load(), `byte ${i}`).rejects.toThrow('is a damaged checkpoint; delete it')
    writeFileSync(path, whole.subarray(0, i))
    await expect(load(), `${i} bytes`).rejects.toThrow('is a damaged checkpoint; delete it')
  }
})

test('an earlier format, and what cannot be read, are named', async () => {
  writeFileSync(path, '{"format":"halfdice-checkpoint-1","plan":"plan","step":1,"size":0,"sha256":"","log":[]}\n')
  await expect(load()).rejects.toThrow(`${path}: was written by an earlier version; delete it`)
  rmSync(path)
  mkdirSync(path)
  await expect(load()).rejects.toThrow(`${path}: is a folder`)
})
