import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { canMountSmallDisk, mountSmallDisk, unmountSmallDisk } from '../../test/support/small-disk.ts'
import { writeTextAtomically } from './atomic-write.ts'
import { checkFolder } from './output-folder.ts'
import { temporaryName } from './temporaries.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-atomic-'))
afterAll(() => rmSync(folder, { recursive: true }))

const cleaning = 'folders that are missing are made, and what killed runs left is removed; what living runs write stays'
test(cleaning, async () => {
  const place = join(folder, 'a/b')
  await writeTextAtomically(join(place, 'first.txt'), 'x')
  expect(readFileSync(join(place, 'first.txt'), 'utf8')).toBe('x')

  const used = join(folder, 'used')
  mkdirSync(used)
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  const own = temporaryName('mask.nii.gz')
  const by = (pid: number | undefined, machine = own.split('.').at(-2)?.split('-')[1]) =>
    `.mask.nii.gz.${pid}-${machine}-0123456789ab.tmp`
  const [killed, living, elsewhere, forgotten] = [by(dead), by(1), by(dead, 'ffffffff'), by(dead, 'eeeeeeee')]
  for (const name of [killed, living, elsewhere, forgotten, '.notes.tmp']) writeFileSync(join(used, name), 'half')
  utimesSync(join(used, forgotten), 0, 0)
  await writeTextAtomically(join(used, 'other.txt'), 'x')
  expect(readdirSync(used).sort()).toEqual([living, elsewhere, '.notes.tmp', 'other.txt'].sort())
})

test('the longest names fit beside their temporary ones', async () => {
  const name = `${'é'.repeat(125)}.txt`
  await writeTextAtomically(join(folder, name), 'x')
  expect(readFileSync(join(folder, name), 'utf8')).toBe('x')
})

test.skipIf(process.platform === 'win32')('what is no file is not replaced', async () => {
  await expect(writeTextAtomically('/dev/null', 'x')).rejects.toThrow('is a pipe or a device; give a file name')
})

test.skipIf(!canMountSmallDisk())(
  'a read-only disk is called one, before any work and when it is written to',
  async () => {
    const disk = join(folder, 'disk')
    mountSmallDisk(disk, 64)
    spawnSync('mount', ['-o', 'remount,ro', disk])
    try {
      const path = join(disk, 'new/a.txt')
      await expect(writeTextAtomically(path, 'x')).rejects.toThrow('read-only file system')
      expect(() => checkFolder(join(disk, 'new'))).toThrow('read-only file system')
    } finally {
      unmountSmallDisk(disk)
    }
  },
)
