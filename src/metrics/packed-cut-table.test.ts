import { expect, test } from 'vitest'
import { CutTable } from './cut-table.ts'
import { packCutTable, unpackCutTable } from './packed-cut-table.ts'

test('a table comes back from its packed form, which holds used bins only', () => {
  const table = new CutTable()
  table.add(Float32Array.of(0, 0.2, 0.5, 0.5, 0.9, 1), Uint8Array.of(0, 1, 1, 0, 1, 1), (label) => label === 1)
  const packed = packCutTable(table)
  expect(packed.bins).toHaveLength(5)
  expect(unpackCutTable(packed)).toEqual(table)
})
