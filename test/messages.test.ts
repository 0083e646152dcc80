import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { createGrid } from '../src/volume/grid.ts'
import { expectRefusal, halfdice, temporaryFolder } from './support/halfdice.ts'
import { distanceMm, writeImage } from './support/images.ts'

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const folder = temporaryFolder()
const at = (name: string) => join(folder, name)
const grid = createGrid([12, 12, 12])
const odd = 'a\u001b[31m\u202e\nz'
const shown = 'a\\u001b[31m\\u202e\\nz'

beforeAll(() => {
  mkdirSync(at('in'))
  const map = Float32Array.from(distanceMm(grid, [6, 6, 6]), (d) => Math.min(1, Math.max(0, 1.1 - d / 5)))
  writeImage(at('in/a.nii'), map, grid)
  if (process.platform !== 'win32') copyFileSync(at('in/a.nii'), at(`in/${odd}.nii`))
})

test.skipIf(process.platform === 'win32')('names with characters that a terminal obeys are spelt out', async () => {
  expectRefusal(await halfdice(['threshold', at(`no${odd}.nii`), '-o', at('x.nii')]), `no${shown}.nii: no such file`)
  const run = ['threshold', at('in'), '-o', at('out'), '--report', at('r.html')]
  const told = [(await halfdice(run)).stdout, (await halfdice([...run, '--json'])).stdout]
  for (const text of [...told, readFileSync(at('r.html'), 'utf8')]) {
    expect(text).toContain('a\\u001b[31m\\u202e')
    expect(text.replaceAll('\n', '')).not.toMatch(/(?!\u2060)[\p{Cc}\p{Cf}]/u)
  }
  const json = JSON.parse(told[1]) as { cases: { input: string }[] }
  expect(json.cases.map(({ input }) => input)).toContain(at(`in/${odd}.nii`))
})

test('-q prints nothing where nothing is wrong, and JSON where it is asked for', async () => {
  const args = ['threshold', at('in/a.nii'), '-o', at('quiet.nii'), '-q']
  expect(await halfdice(args)).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(JSON.parse((await halfdice([...args, '--json'])).stdout)).toHaveProperty('cases')
  expect((await halfdice(['threshold', at('none.nii'), '-o', at('x.nii'), '-q'])).stderr).toContain('no such file')
})

test('an unknown command is named, with the one that was meant, even where help is asked for', async () => {
  expectRefusal(await halfdice(['staple', '--help']), "unknown command 'staple' (did you mean sample?)")
  expectRefusal(await halfdice(['tresh', 'x.nii']), "unknown command 'tresh' (did you mean threshold?)")
})

test.skipIf(spawnSync('prlimit', ['--version']).status !== 0)('a limit of the address space is named as such', () => {
  const command = ['--as=2000000000', process.execPath, main, 'threshold', at('in/a.nii'), '-o', at('x.nii')]
  const { status, stderr } = spawnSync('prlimit', command, { encoding: 'utf8' })
  expect(stderr).toMatch(
    /^halfdice: .*: memory ran out: this process may use 2\.0 GB of address space; raise the limit/,
  )
  expect(status).toBe(1)
})
