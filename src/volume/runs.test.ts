import fc from 'fast-check'
import { expect, test } from 'vitest'
import { constantRange, runEnds } from './runs.ts'

const runs = fc.array(fc.record({ value: fc.constantFrom(0, 1, 127, 255), length: fc.integer({ min: 1, max: 70 }) }))

test('a run ends where the next value differs, in bytes at any place in memory and in other numbers', () => {
  fc.assert(
    fc.property(runs, fc.nat(5), fc.nat(40), (parts, offset, cut) => {
      const all = parts.flatMap(({ value, length }) => new Array<number>(length).fill(value))
      const bytes = new Uint8Array(all.length + offset)
      bytes.set(all, offset)
      for (const values of [bytes.subarray(offset), Float32Array.from(all), Int16Array.from(all)]) {
        const [end, isZero] = [runEnds(values), constantRange(values, 0)]
        const to = Math.max(0, all.length - cut)
        for (let from = 0; from < to; from++) {
          const other = all.findIndex((value, i) => i >= from && value !== all[from])
          const expected = other < 0 ? to : Math.min(to, other)
          expect(end(from, to)).toBe(expected)
          expect(isZero(from, to)).toBe(all[from] === 0 && expected === to)
        }
        expect(isZero(to, to)).toBe(true)
      }
    }),
  )
})
