import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { floatsFromHalves, largestBits, positionsBlock, positionsFrom } from './voxels.ts'

const bitsOf = (m: Float32Array) => new Uint32Array(m.buffer)

describe('halves to floats', () => {
  test('every one of the 65,536, by its definition in IEEE 754', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits)
    const out = new Float32Array(all.length)
    floatsFromHalves(all, out)
    const expected = Float32Array.from(all, (bits) => {
      const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 0x3ff]
      if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
      return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
    })
    // Object.is: the sign of 0 counts.
    expect(out.findIndex((x, i) => !Object.is(x, expected[i]))).toBe(-1)
  })

  test.each([0, 1, 7, 9, 8191, 8192, 8195])('%i of them, and nothing beside them', (length) => {
    const halves = Uint16Array.from({ length: length + 2 }, (_, i) => 0x3c00 + (i % 1024))
    const out = new Float32Array(length + 2).fill(-1)
    floatsFromHalves(halves.subarray(1, length + 1), out.subarray(1, length + 1))
    const inner = Array.from({ length }, (_, i) => 1 + ((i + 1) % 1024) / 1024)
    expect([...out]).toEqual([-1, ...inner, -1])
  })
})

test('the largest bits, wherever they are; NaN and what has a sign come last', () => {
  for (const length of [1, 15, 16, 17, 8192, 8200, 20000]) {
    for (const at of [0, length >> 1, length - 1]) {
      const m = new Float32Array(length).fill(0.25)
      for (const value of [0.5, 1, 1.5, Number.NaN, -0, -0.25]) {
        m[at] = value
        expect(largestBits(m)).toBe(bitsOf(m)[at])
      }
    }
  }
  expect(largestBits(new Float32Array(0))).toBe(0)
})

test('positions from a bound on are those of a search, block by block', () => {
  const level = fc.constantFrom(0, 0.125, 0.25, 0.5, 1, -0)
  const array = fc.array(level, { minLength: 1, maxLength: 100 })
  fc.assert(
    fc.property(array, fc.constantFrom(0, positionsBlock - 50), level, (values, before, threshold) => {
      fc.pre(threshold > 0)
      const m = Float32Array.from([...new Array(before).fill(1), ...values])
      const [bits] = bitsOf(Float32Array.of(threshold))
      const found: number[] = []
      for (let start = 0; start < m.length; start += positionsBlock) {
        found.push(...[...positionsFrom(m, start, bits)].map((at) => start + at))
      }
      expect(found).toEqual([...m.keys()].filter((i) => m[i] >= threshold))
    }),
  )
})
