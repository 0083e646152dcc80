import { expect, test } from 'vitest'
import { escaped, escapedLines, legible, legibleJson } from './legible.ts'

test('what a terminal would obey is spelt out, letters of every script are not', () => {
  expect(escaped('a\u001b[31mb\n\u202ec\u2028\u009b')).toBe('a\\u001b[31mb\\n\\u202ec\\u2028\\u009b')
  expect(escaped('Léber 肝臓 كبد σ½ 😀')).toBe('Léber 肝臓 كبد σ½ 😀')
  expect(escaped('0.2\u2060–\u20600.4')).toBe('0.2\u2060–\u20600.4')
  expect(escaped('\u{e0041}')).toBe('\\udb40\\udc41')
  expect(escapedLines('a\nb\u0007')).toBe('a\nb\\u0007')
  expect(legible('x'.repeat(61))).toBe(`${'x'.repeat(60)}…`)
})

test('JSON means the same', () => {
  const value = { 'a\u202e': ['\u001b', '\u007f', '\u{e0041}', 'é\n'] }
  const json = legibleJson(value)
  expect(JSON.parse(json)).toEqual(value)
  expect(json).not.toMatch(/[\p{Cc}\p{Cf}]/u)
})
