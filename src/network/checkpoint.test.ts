import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from './checkpoint.ts'

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

test('what is saved is loaded', async () => {
  expect(await loadCheckpoint(path, 'plan')).toBeUndefined()
  await saveCheckpoint(path, 'plan', checkpoint)
  expect(await loadCheckpoint(path, 'plan')).toEqual(checkpoint)
  await expect(loadCheckpoint(path, 'another')).rejects.toThrow(`${path}: was written by a run with other settings`)
})

test('a change of any byte, and any cut, is noticed', async () => {
  await saveCheckpoint(path, 'plan', checkpoint)
  const whole = readFileSync(path)
  for (let i = 0; i < whole.length; i++) {
    const bytes = Buffer.from(whole)
    bytes[i] ^= 1
    writeFileSync(path, bytes)
    await expect(loadCheckpoint(path, 'plan'), `byte ${i}`).rejects.toThrow('is a damaged checkpoint; delete it')
    writeFileSync(path, whole.subarray(0, i))
    await expect(loadCheckpoint(path, 'plan'), `${i} bytes`).rejects.toThrow('is a damaged checkpoint; delete it')
  }
})

test('an earlier format, and what cannot be read, are named', async () => {
  writeFileSync(path, '{"format":"halfdice-checkpoint-1","plan":"plan","step":1,"size":0,"sha256":"","log":[]}\n')
  await expect(loadCheckpoint(path, 'plan')).rejects.toThrow(`${path}: was written by an earlier version; delete it`)
  await expect(loadCheckpoint(folder, 'plan')).rejects.toThrow(`${folder}: cannot be read (EISDIR`)
})
