import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { OutputError } from '../volume/errors.ts'
import { writeWhole } from './write-whole.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-whole-'))
beforeEach(() => {
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

test('replaces a file, and clears away what killed writers of it left', async () => {
  const path = join(folder, 'a.bin')
  // The numbers of a process that has ended, and of one that always lives.
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  const living = 1
  const names = [`a.bin.${dead}.tmp`, `a.bin.${living}.tmp`, `b.bin.${dead}.tmp`, 'a.bin.notes.tmp']
  for (const name of names) writeFileSync(join(folder, name), 'half')
  // A living process's too, where it is older than any write lasts.
  const old = join(folder, `a.bin.${process.ppid}.tmp`)
  writeFileSync(old, 'half')
  utimesSync(old, 0, 0)
  writeFileSync(path, 'before')
  await writeWhole(path, [Buffer.from('af'), Buffer.from('ter')])
  expect(readFileSync(path, 'utf8')).toBe('after')
  expect(readdirSync(folder).sort()).toEqual(['a.bin', ...names.slice(1)].sort())
})

test('an error names the file and leaves nothing behind', async () => {
  const path = join(folder, 'a.bin')
  // A folder in its place: the bytes are written, the renaming fails.
  mkdirSync(path)
  writeFileSync(join(path, 'inside'), '')
  const failed = writeWhole(path, [Buffer.from('x')])
  await expect(failed).rejects.toThrow(OutputError)
  await expect(failed).rejects.toThrow(/a\.bin: cannot be written \(E\w+: [^,]+\); check the disk and the folder/)
  expect(readdirSync(folder)).toEqual(['a.bin'])
  await expect(writeWhole(join(folder, 'none', 'a.bin'), [])).rejects.toThrow(
    /none\/a\.bin: cannot be written \(ENOENT/,
  )
})
