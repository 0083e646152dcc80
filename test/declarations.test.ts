import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('declarations name no generic typed array: TypeScript before 5.7 does not know them', () => {
  const dist = fileURLToPath(new URL('../dist', import.meta.url))
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.d.ts'))
  expect(files.length).toBeGreaterThan(50)
  const generic = files.filter((file) => /\b\w+\d+(Clamped)?Array</.test(readFileSync(`${dist}/${file}`, 'utf8')))
  expect(generic).toEqual([])
})
