import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { CodeHistogram } from './code-histogram.ts'
import { DiceHistogram } from './dice-histogram.ts'
import { type SoftDiceOptimum, softDiceOptimum } from './soft-dice.ts'
import { generator } from './testing/random.ts'

function streamed(chunks: readonly Float32Array[]): SoftDiceOptimum {
  const first = new DiceHistogram()
  for (const chunk of chunks) first.add(chunk)
  const second = first.refine()
  for (const chunk of chunks) second.add(chunk)
  return second.optimum()
}

/** Sums in another order round differently: 1e-13 allows for a few hundred units in the last place. */
function expectClose(actual: SoftDiceOptimum, expected: SoftDiceOptimum, tolerance = 1e-13) {
  for (const key of Object.keys(expected) as (keyof SoftDiceOptimum)[]) {
    expect(Math.abs(actual[key] - expected[key]), `${key}: ${actual[key]} ${expected[key]}`).toBeLessThanOrEqual(
      tolerance * Math.abs(expected[key]),
    )
  }
}

describe('DiceHistogram equals softDiceOptimum', () => {
  const probability = fc.oneof(
    fc.integer({ min: 0, max: 16 }).map((k) => k / 16),
    fc.float({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom(0, -0, 1, 0.5, 1 / 3, 2 ** -149, 2 ** -126, 1e-20),
  )
  test('on random inputs, cut anywhere', () => {
    fc.assert(
      fc.property(fc.array(probability, { maxLength: 60 }), fc.nat(60), (values, at) => {
        const m = new Float32Array(values)
        expectClose(streamed([m.subarray(0, at), m.subarray(at)]), softDiceOptimum(m))
      }),
      { numRuns: 500 },
    )
  })
  test('on a large array, and in any order to the last bit', () => {
    const random = generator(2)
    const m = Float32Array.from({ length: 200_000 }, () => random() ** 4)
    const chunks = Array.from({ length: 10 }, (_, i) => m.subarray(i * 20_000, (i + 1) * 20_000))
    expectClose(streamed(chunks), softDiceOptimum(m))
    expect(streamed(chunks.reverse())).toEqual(streamed([m]))
  })
  test('without voxels', () => {
    expect(streamed([])).toEqual(softDiceOptimum([]))
    expect(streamed([new Float32Array(5)])).toEqual(softDiceOptimum(new Float32Array(5)))
  })
  test('what is no probability is refused', () => {
    for (const bad of [Number.NaN, -0.1, 1.005, 7, Number.POSITIVE_INFINITY]) {
      expect(() => new DiceHistogram().add(new Float32Array([0, bad]))).toThrow(InputError)
      expect(() => new DiceHistogram().add(new Float32Array([0, bad]))).toThrow('index 1')
    }
  })
})

describe('CodeHistogram equals softDiceOptimum of the decoded numbers', () => {
  function decoded(codes: ArrayLike<number>, slope: number, intercept: number): Float32Array {
    return Float32Array.from(codes, (code) => Math.min(1, Math.max(0, slope * code + intercept)))
  }
  // Decoded to float32, each number is off by 2⁻²⁵ relative to itself at most, and so are the sums.
  const tolerance = 2 ** -24
  test.each([
    ['uint8', Uint8Array, 1 / 255, 0, 0, 255],
    ['uint16', Uint16Array, 1 / 65535, 0, 0, 65535],
    ['int16, 0…252', Int16Array, 1 / 252, 0, 0, 252],
    ['int16 around zero', Int16Array, 1 / 65535, 0.5, -32767, 32767],
    ['int8, reversed', Int8Array, -1 / 255, 0.5, -127, 127],
  ] as const)('%s', (_, Type, slope, intercept, min, max) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min, max }), { maxLength: 40 }), fc.nat(40), (values, at) => {
        const codes = new Type(values)
        const histogram = new CodeHistogram({ slope, intercept })
        histogram.add(codes.subarray(0, at))
        histogram.add(codes.subarray(at))
        const optimum = histogram.optimum()
        const expected = softDiceOptimum(decoded(codes, slope, intercept))
        expect(Math.abs(optimum.supDice - expected.supDice)).toBeLessThanOrEqual(tolerance)
        const count = [...codes].filter((code) => Math.min(1, slope * code + intercept) >= optimum.threshold).length
        expect(count).toBe(optimum.volume)
      }),
    )
  })
  test('exact where the numbers are: eighths', () => {
    const codes = new Uint8Array([8, ...Array(8).fill(2), 0, 0])
    const histogram = new CodeHistogram({ slope: 1 / 8 })
    histogram.add(codes)
    expect(histogram.optimum()).toEqual(softDiceOptimum(decoded(codes, 1 / 8, 0)))
    expect(histogram.optimum()).toMatchObject({ threshold: 0.25, volume: 9, volumeWithoutTies: 1 })
  })
  test('a code that stands for ½ belongs to the cut at ½, as often as it occurs', () => {
    const histogram = new CodeHistogram({ slope: 1 / 4 })
    histogram.add(Uint8Array.of(2, 2, 2, 3, 1, 0))
    // Σ m = 3·½ + ¾ + ¼ = 2.5; at ½ four voxels hold 2.25.
    expect(histogram.optimum()).toMatchObject({ volumeHalf: 4, diceAtHalf: 4.5 / 6.5, volumeRatioHalf: 4 / 2.5 })
  })
  test('codes out of range are refused, and only those that occur', () => {
    const histogram = new CodeHistogram({ slope: 1 / 252 })
    histogram.add(new Int16Array([0, 252]))
    expect(histogram.optimum().volume).toBe(1)
    histogram.add(new Int16Array([253]))
    expect(() => histogram.optimum()).toThrow('stored 253')
    const plain = new CodeHistogram()
    plain.add(new Int8Array([-1]))
    expect(() => plain.optimum()).toThrow(InputError)
  })
})
