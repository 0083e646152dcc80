import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkStreamNumber, randomStream, streamSeed } from './random.ts'

describe('streamSeed', () => {
  const part = fc.oneof(fc.integer({ min: 0 }), fc.string({ maxLength: 4 }))
  test('is a whole number below 2^53, the same for the same key, another for another', () => {
    const key = fc.array(part, { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(key, key, (a, b) => {
        const seed = streamSeed(...a)
        expect(Number.isSafeInteger(seed) && seed >= 0).toBe(true)
        expect(seed === streamSeed(...b)).toBe(JSON.stringify(a) === JSON.stringify(b))
      }),
    )
  })

  test('keeps texts apart: where one ends and the next begins counts', () => {
    expect(streamSeed('a', 'bc')).not.toBe(streamSeed('ab', 'c'))
    expect(streamSeed(0, 'a')).not.toBe(streamSeed('a', 0))
  })

  test('uses all of its 53 bits', () => {
    const seeds = Array.from({ length: 4000 }, (_, i) => BigInt(streamSeed(0, i)))
    for (let bit = 0n; bit < 53n; bit++) {
      const ones = seeds.filter((seed) => (seed >> bit) & 1n).length
      expect(Math.abs(ones - 2000), `bit ${bit}`).toBeLessThan(150) // 4.7 deviations of 32
    }
  })

  test('has values that stay: results that people have published depend on them', () => {
    expect([streamSeed(0, 'liver_012'), streamSeed(7, 'a', 1)]).toMatchInlineSnapshot(`
      [
        7534888638693615,
        2678612838227790,
      ]
    `)
  })
})

test('whole numbers below n come equally often', () => {
  const random = randomStream(3, 'integers')
  const counts = new Array<number>(7).fill(0)
  for (let i = 0; i < 70000; i++) counts[random.integer(7)]++
  for (const count of counts) expect(Math.abs(count - 10000)).toBeLessThan(450) // 5 deviations of 93
})

test.each([0.5, -1, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])('refuses the seed %s', (value) => {
  expect(() => checkStreamNumber(value, 'seed')).toThrow(/^seed: is .*; give a whole number/)
})
