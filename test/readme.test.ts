import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { halfdice, temporaryFolder } from './support/halfdice.ts'

// Every ```console block of these pages holds commands (`$ halfdice …`), each with what it prints. They are run in
// order, in a folder for each page. UPDATE_README=1 writes what they print into the pages instead of comparing.
const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const folder = temporaryFolder()
const pages = [
  { page: 'README.md', folder },
  { page: 'docs/tour.md', folder: temporaryFolder() },
]

/** The command's words; the pages quote none. */
function words(command: string): string[] {
  return command.replace(/^halfdice /, '').split(/\s+/)
}

test.each(pages)('commands of $page print what it shows', async ({ page, folder }) => {
  const text = readFileSync(join(root, page), 'utf8')
  let updated = text
  let commands = 0
  for (const [, block] of text.matchAll(/^```console\n(.*?)^```$/gms)) {
    const results: string[] = []
    for (const [, command] of block.matchAll(/^\$ (halfdice .*)$/gm)) {
      const { code, stdout, stderr } = await halfdice(words(command), { cwd: folder })
      expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' })
      results.push(`$ ${command}\n${stdout}`)
      commands++
    }
    const expected = results.join('\n')
    if (process.env.UPDATE_README) updated = updated.replace(block, () => expected)
    else expect(block).toBe(expected)
  }
  expect(commands).toBeGreaterThan(5)
  if (process.env.UPDATE_README) writeFileSync(join(root, page), updated)
})

test('the README is short enough to be read', () => {
  expect(readme.split('\n').length).toBeLessThan(150)
})

test('its example of the library runs as written', () => {
  const code = /^```js\n(.*?)^```$/ms.exec(readme)?.[1] ?? ''
  expect(code.trim().split('\n').length).toBeLessThan(13)
  // The package as a dependency: by its name, through its exports.
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/halfdice'), 'junction')
  writeFileSync(join(folder, 'example.mjs'), code)
  const printed = execFileSync(process.execPath, ['example.mjs'], { cwd: folder, encoding: 'utf8' })
  expect(printed).toMatch(/threshold: 0\.\d+,\s+supDice: 0\.\d+,\s+diceAtHalf: 0\.\d+,\s+dice: 0\.\d+/)
})

test('its links to files lead somewhere', () => {
  for (const [, path] of readme.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
    expect(() => readFileSync(join(root, path)), path).not.toThrow()
  }
})
