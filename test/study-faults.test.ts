import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectRefusal, halfdice, temporaryFolder } from './support/halfdice.ts'

const root = temporaryFolder()

test.skipIf(process.platform === 'win32')('a pipe or a device as configuration is refused at once', async () => {
  const pipe = join(root, 'pipe.yaml')
  execFileSync('mkfifo', [pipe])
  for (const [path, kind] of [
    [pipe, 'pipe'],
    ['/dev/zero', 'device'],
  ]) {
    expectRefusal(await halfdice(['study', path, '-o', join(root, 'out')]), `${path}: is a ${kind}, not a regular file`)
  }
})

test('a study.json of another form is refused, not an internal error', async () => {
  const folder = join(root, 'study')
  mkdirSync(folder)
  for (const [text, says] of [
    ['null', 'is no study'],
    ['[]', 'is no study'],
    ['{"format": 1}', 'was written by another version'],
    ['{"format": 2}', 'is damaged'],
    ['{"format": 2, "config": {"organs": 3}, "dataset": {"labels": {}, "cases": null}}', 'is damaged'],
    ['{', 'is missing or no JSON'],
  ]) {
    writeFileSync(join(folder, 'study.json'), text)
    const outcome = await halfdice(['study', 'status', folder])
    expectRefusal(outcome, `study.json: ${says}`)
    expect(outcome.stderr).not.toContain('internal error')
  }
})
