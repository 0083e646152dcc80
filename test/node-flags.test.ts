import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dicomSlice } from '../src/formats/testing/dicom-bytes.ts'
import { temporaryFolder } from './support/halfdice.ts'

// The built library, as a user's program loads it.
const library = new URL('../dist/node.js', import.meta.url).href

test.each(['module', 'commonjs'])('node --input-type=%s -e: threads of ours start all the same', (type) => {
  const path = join(temporaryFolder(), 'a.dcm')
  writeFileSync(path, dicomSlice({ rows: 2, columns: 3, pixels: new Int16Array(6), position: [0, 0, 0] }))
  const program = `import('${library}').then(async ({ readVolume }) =>
    console.log((await readVolume(process.argv[1])).grid.shape.join('×')))`
  const printed = execFileSync(process.execPath, [`--input-type=${type}`, '-e', program, path], { encoding: 'utf8' })
  expect(printed).toBe('3×2×1\n')
})
