import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeTextAtomically } from './atomic-write.ts'
import { protectInputs, refuseInput, registerInput } from './inputs.ts'
import { readRegularFile, readRegularFileSync } from './read-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-inputs-'))
const at = (name: string) => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true }))

test('a program that uses the library may write over what it has read', async () => {
  writeFileSync(at('free.txt'), 'old')
  await readRegularFile(at('free.txt'))
  await writeTextAtomically(at('free.txt'), 'new')
  expect(readFileSync(at('free.txt'), 'utf8')).toBe('new')
})

describe('where inputs are protected', () => {
  beforeAll(protectInputs)

  test('what was read is refused as output, through links too, and stays as it was', async () => {
    writeFileSync(at('in.txt'), 'precious')
    linkSync(at('in.txt'), at('hard.txt'))
    symlinkSync(at('in.txt'), at('soft.txt'))
    symlinkSync(folder, at('here'))
    await readRegularFile(at('soft.txt'))
    for (const name of ['in.txt', 'hard.txt', 'soft.txt', 'here/in.txt']) {
      await expect(writeTextAtomically(at(name), 'x')).rejects.toThrow('would overwrite the input')
    }
    expect(readFileSync(at('in.txt'), 'utf8')).toBe('precious')
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([])
  })

  test('a run may rewrite its own file: one that it wrote, or says it replaces', async () => {
    await writeTextAtomically(at('own.txt'), '1')
    readRegularFileSync(at('own.txt'))
    await writeTextAtomically(at('own.txt'), '2')
    writeFileSync(at('state.json'), 'before')
    await readRegularFile(at('state.json'))
    await writeTextAtomically(at('state.json'), 'after', { replace: true })
    expect(readFileSync(at('state.json'), 'utf8')).toBe('after')
  })

  test('a new file that has got the number of a deleted input is no input', () => {
    writeFileSync(at('gone.txt'), 'x')
    linkSync(at('gone.txt'), at('other.txt'))
    registerInput(at('gone.txt'))
    expect(() => refuseInput(at('other.txt'))).toThrow('would overwrite')
    rmSync(at('gone.txt'))
    expect(() => refuseInput(at('other.txt'))).not.toThrow()
  })
})
