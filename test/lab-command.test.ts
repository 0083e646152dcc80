import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startLab } from './support/browser.ts'
import { expectRefusal, halfdice, temporaryFolder } from './support/halfdice.ts'

const folder = temporaryFolder()

test('a file that is not there is refused in one line', async () => {
  expectRefusal(await halfdice(['lab', join(folder, 'nothing.nii')]), /nothing\.nii: no such file/)
})

test('a port that is taken, and what is no port', async () => {
  const other = createServer()
  const port = await new Promise<number>((resolve) => {
    other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port))
  })
  expectRefusal(await halfdice(['lab', '--port', String(port)]), /--port: \d+ is taken by another program/)
  other.close()
  expectRefusal(await halfdice(['lab', '--port', '70000']), /--port/)
})

test('serves until Ctrl-C, each time below another address', async () => {
  mkdirSync(join(folder, 'empty'))
  const [first, second] = [await startLab([]), await startLab([join(folder, 'empty')])]
  for (const { url } of [first, second]) {
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/$/)
    expect((await fetch(url)).status).toBe(200)
  }
  expect(new URL(first.url).pathname).not.toBe(new URL(second.url).pathname)
  expect(await first.stop()).toBe(0)
  await expect(fetch(first.url)).rejects.toThrow()
  expect(await second.stop()).toBe(0)
})
