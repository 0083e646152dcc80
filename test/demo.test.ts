import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectRefusal, filesBelow, halfdice, temporaryFolder } from './support/halfdice.ts'

const root = temporaryFolder()

test('an output that cannot be written is found before anything is computed', async () => {
  const taken = join(root, 'taken')
  mkdirSync(join(taken, 'report.html'), { recursive: true })
  expectRefusal(await halfdice(['demo', '-o', taken]), /report\.html: is a folder/)
  const file = join(root, 'file')
  mkdirSync(file)
  writeFileSync(join(file, 'study'), '')
  expectRefusal(await halfdice(['demo', '-o', file]), /study: is a file/)
  // The demo writes its first page before the study: no page shows that nothing was computed.
  expect(filesBelow(file)).toEqual(['study'])
})
