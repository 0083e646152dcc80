import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { writeNpz } from '../src/formats/npz.ts'
import { golden } from '../src/formats/testing/pickle-golden.ts'
import { temporaryFolder } from './support/halfdice.ts'

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const folder = temporaryFolder()

/** Peak memory, in MB, of decoding a softmax of so many classes; each map has 4 MB as float32. */
async function peak(classes: number): Promise<number> {
  const n = 100
  const data = new Float32Array(classes * n ** 3)
  for (let i = 0; i < n ** 3; i++) data[((i >> 8) % classes) * n ** 3 + i] = 1
  const path = join(folder, `c${classes}.npz`)
  await writeNpz(path, { probabilities: { shape: [classes, n, n, n], data } })
  // Geometry without a shape to be compared with.
  writeFileSync(path.replace('.npz', '.pkl'), Buffer.from(golden.nibabelProtocol4, 'base64'))
  // Linux's maxRSS of a process counts that of the one it was started from, which is this one; VmHWM is its own.
  const own = existsSync('/proc/self/status')
    ? `/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status','utf8'))[1]`
    : 'process.resourceUsage().maxRSS'
  const watch =
    `data:text/javascript,import {readFileSync} from 'node:fs';` +
    `process.on('exit',()=>process.stderr.write('peak '+${own}))`
  const args = ['--import', watch, main, 'threshold', path, '-o', join(folder, 'out.nii.gz')]
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  return Number(/peak (\d+)/.exec(stderr)?.[1]) / 1024
}

test('memory does not grow with the number of classes', async () => {
  const few = await peak(4)
  const many = await peak(64)
  // Held at once, the 60 further maps would take 240 MB. Garbage of chunks that were read may linger for a while.
  expect(many - few).toBeLessThan(80)
})
