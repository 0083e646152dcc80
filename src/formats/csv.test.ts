import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatCsv, parseCsv } from './csv.ts'

test('numbers keep their digits and signs, and what a spreadsheet would run is text', () => {
  const rows = [
    { case: '=cmd|x', dice: -0.125, note: '+0.059' },
    { case: '@a', dice: 1e-9, note: '-2+3' },
    { case: 'a,"b"\nc', dice: Number.NaN, note: undefined },
  ]
  expect(formatCsv(['case', 'dice', 'note'], rows)).toBe(
    'case,dice,note\r\n\'=cmd|x,-0.125,+0.059\r\n\'@a,1e-9,\'-2+3\r\n"a,""b""\nc",,\r\n',
  )
})

test('what is written comes back, whatever it is', () => {
  const text = fc.string({ unit: fc.constantFrom('=', "'", '+', '-', '@', '"', ',', '\n', '\r', '\t', 'a', '1', 'é') })
  fc.assert(
    fc.property(fc.array(fc.record({ a: text, b: text }), { minLength: 1 }), (rows) => {
      expect(parseCsv(formatCsv(['a', 'b'], rows))).toEqual(rows)
    }),
  )
})
