import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { accuracyOptimum } from './accuracy.ts'
import { iouOptimum } from './iou.ts'
import { thresholdMask } from './mask.ts'
import type { Probabilities } from './probabilities.ts'
import { rmaOptimum } from './rma.ts'
import { type SoftDiceOptimum, softDiceOptimum } from './soft-dice.ts'
import { softDiceOptimumBySort } from './soft-dice-by-sort.ts'
import { generator } from './testing/random.ts'

/** All masks tried: the best soft Dice, and the smallest and largest volume that reach it up to rounding. */
function bruteForce(m: readonly number[]) {
  const total = m.reduce((a, b) => a + b, 0)
  const dices: { dice: number; volume: number }[] = []
  for (let subset = 0; subset < 1 << m.length; subset++) {
    let [sum, volume] = [0, 0]
    for (let i = 0; i < m.length; i++) if (subset & (1 << i)) [sum, volume] = [sum + m[i], volume + 1]
    dices.push({ dice: total === 0 && volume === 0 ? 1 : (2 * sum) / (volume + total), volume })
  }
  const supDice = Math.max(...dices.map((d) => d.dice))
  const best = dices.filter((d) => d.dice > supDice - 1e-13).map((d) => d.volume)
  return { supDice, smallest: Math.min(...best), largest: Math.max(...best) }
}

/**
 * Sums in another order round differently: a relative error of 1e-13 allows for a few hundred units in the last place.
 */
function expectClose(actual: SoftDiceOptimum, expected: SoftDiceOptimum) {
  for (const key of Object.keys(expected) as (keyof SoftDiceOptimum)[]) {
    expect(Math.abs(actual[key] - expected[key]), `${key}: ${actual[key]} ${expected[key]}`).toBeLessThanOrEqual(
      1e-13 * Math.abs(expected[key]),
    )
  }
}

function expectConsistent(m: Float32Array, optimum: SoftDiceOptimum) {
  const { threshold, supDice, volume, volumeWithoutTies, probabilityVolume, volumeBound, volumeHalf } = optimum
  expect(m.filter((x) => x >= threshold)).toHaveLength(volume)
  expect(m.filter((x) => x > threshold)).toHaveLength(volumeWithoutTies)
  expect(Math.abs(threshold - supDice / 2)).toBeLessThanOrEqual(1e-13 * threshold)
  expect(supDice).toBeLessThanOrEqual(1)
  expect(supDice).toBeGreaterThanOrEqual(optimum.diceAtHalf)
  expect(volume).toBeLessThanOrEqual(volumeBound * (1 + 1e-13))
  // Equality where every voxel of the mask is at the threshold, up to the threshold's rounding.
  if (probabilityVolume > 0) expect(volumeHalf).toBeLessThanOrEqual(volume)
}

const dyadic = fc.integer({ min: 0, max: 16 }).map((k) => k / 16)
const float = fc.float({ min: 0, max: 1, noNaN: true })
const probability = fc.oneof(dyadic, float, fc.constantFrom(0, 1, 0.5, Math.fround(1 / 3), 2 ** -149, 2 ** -126, 1e-20))

describe('small inputs against all subsets', () => {
  test.each([
    ['nothing', []],
    ['one zero', [0]],
    ['one one', [1]],
    ['one voxel', [0.3]],
    ['all zero', [0, 0, 0]],
    ['all one', [1, 1, 1]],
    ['a plateau', [0.3, 0.3, 0.3, 0.3]],
    ['an exact tie: eight quarters beside a one', [1, ...Array(8).fill(0.25)]],
    ['denormals', [2 ** -149, 2 ** -149, 2 ** -148, 0]],
    ['float32 rounding', [Math.fround(1 / 3), Math.fround(1 / 3), Math.fround(1 / 3), 1]],
    ['a softmax of a little more than one', [1.000001, 0.5, 0.1].map(Math.fround)],
  ])('%s', (_, values) => {
    const m = new Float32Array(values)
    const optimum = softDiceOptimum(m)
    const { supDice, smallest, largest } = bruteForce([...m])
    expect(optimum.supDice).toBeCloseTo(supDice, 13)
    if (optimum.supDice > 1e-10) expect([optimum.volumeWithoutTies, optimum.volume]).toEqual([smallest, largest])
    expectClose(optimum, softDiceOptimumBySort(m))
  })

  test('random', () => {
    fc.assert(
      fc.property(fc.array(probability, { maxLength: 10 }), (values) => {
        const m = new Float32Array(values)
        const optimum = softDiceOptimum(m)
        const { supDice, smallest, largest } = bruteForce([...m])
        expect(Math.abs(optimum.supDice - supDice)).toBeLessThanOrEqual(1e-13)
        // Below, zeros and denormals are ties to within the brute force's absolute tolerance.
        if (supDice > 1e-10) {
          expect(optimum.volumeWithoutTies).toBeGreaterThanOrEqual(smallest)
          expect(optimum.volume).toBeLessThanOrEqual(largest)
        }
        expectConsistent(m, optimum)
      }),
      { numRuns: 500 },
    )
  })

  test('dyadic probabilities, whose sums are exact: both extreme volumes are exact', () => {
    fc.assert(
      fc.property(fc.array(dyadic, { maxLength: 12 }), (values) => {
        const optimum = softDiceOptimum(new Float32Array(values))
        const { smallest, largest } = bruteForce(values)
        const empty = optimum.probabilityVolume === 0
        expect([optimum.volumeWithoutTies, optimum.volume]).toEqual(empty ? [0, 0] : [smallest, largest])
      }),
      { numRuns: 500 },
    )
  })
})

test('an exact tie reports both volumes and the mask takes it in', () => {
  // ‖m‖ = 3: {1} has Dice 2/(1 + 3) = ½, all nine have 6/(9 + 3) = ½.
  const optimum = softDiceOptimum(new Float32Array([1, ...Array(8).fill(0.25)]))
  expect(optimum).toMatchObject({ supDice: 0.5, threshold: 0.25, volume: 9, volumeWithoutTies: 1, volumeBound: 9 })
})

test('‖m‖ = 0: the empty mask has Dice 1, nothing reaches the threshold', () => {
  const expected = { supDice: 1, threshold: 0.5, volume: 0, volumeWithoutTies: 0, diceAtHalf: 1, volumeHalf: 0 }
  expect(softDiceOptimum(new Float32Array(100_000))).toMatchObject(expected)
  expect(softDiceOptimum([])).toMatchObject(expected)
  expect(softDiceOptimumBySort(new Float32Array([0, -0]))).toMatchObject(expected)
})

describe('both algorithms agree', () => {
  test('on mid-sized arrays of any shape, as one array or as several', () => {
    fc.assert(
      fc.property(
        fc.array(probability, { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 0, max: 200 }),
        (values, copies, split) => {
          const m = new Float32Array(values.length * copies)
          for (let i = 0; i < m.length; i++) m[i] = values[i % values.length]
          const optimum = softDiceOptimum(m)
          expectClose(optimum, softDiceOptimumBySort(m))
          expectClose(softDiceOptimum([m.subarray(0, split), m.subarray(split)]), optimum)
        },
      ),
      { numRuns: 300 },
    )
  })

  // Above 65536 voxels a sample guesses the bounds; the answer must not depend on whether it guesses well.
  const n = 300_000
  const random = generator(1)
  const shapes: Record<string, (i: number) => number> = {
    'uniform noise': () => random(),
    'a plateau at the optimum and noise': (i) => (i % 3 ? 0.3 : random()),
    'all equal': () => 0.3,
    'all equal and tiny, where D*/2 rounds to the value itself': () => 1e-20,
    'all the smallest denormal': () => 2 ** -149,
    'eight levels': () => Math.floor(random() * 8) / 8,
    '256 levels': () => Math.floor(random() * 256) / 255,
    'values crowded at the optimum': () => 0.38 + 1e-6 * random(),
    'an organ of one voxel': (i) => (i === 123_456 ? 0.7 : 0),
    'an organ the sample misses': (i) => (i > 299_900 ? random() : 0),
    'a sample that sees nothing like the rest': (i) => (i < 200_000 ? 1e-3 * random() : random()),
    'a background of tiny values': (i) => (i < 1000 ? random() : 1e-6 * random()),
    'powers of two over the whole float32 range': (i) => 2 ** -(i % 150),
    'all one': () => 1,
  }
  test.each(Object.entries(shapes))('%s', (_, value) => {
    const m = Float32Array.from({ length: n }, (_, i) => value(i))
    const optimum = softDiceOptimum(m)
    expectClose(optimum, softDiceOptimumBySort(m))
    expectConsistent(m, optimum)
    expectClose(softDiceOptimum([m.subarray(0, 7), m.subarray(7, 100_003), m.subarray(100_003)]), optimum)
  })

  test('more voxels in one plateau than are ever copied', () => {
    const m = new Float32Array(6_000_000).fill(0.2)
    m.fill(0.9, 0, 1_000_000)
    for (let i = 1_000_000; i < 1_100_000; i++) m[i] = random()
    // The plateau is in where 0.9·10⁶ + … is too small a sum; here D* is that of {0.9}, and 0.2 must stay out.
    const optimum = softDiceOptimum(m)
    expectClose(optimum, softDiceOptimumBySort(m))
    const crowded = new Float32Array(6_000_000).fill(0.25)
    crowded.fill(1, 0, 600_000)
    expectClose(softDiceOptimum(crowded), softDiceOptimumBySort(crowded))
  })
})

test('an analytic case: uniform probabilities have t* = (3 − √5)/2', () => {
  // In the limit Σ_{m≥t} m = (1 − t²)/2, #{m≥t} = 1 − t, ‖m‖ = ½, so t(3/2 − t) = (1 − t²)/2.
  const m = Float32Array.from({ length: 1_000_000 }, (_, i) => (i + 0.5) / 1_000_000)
  expect(softDiceOptimum(m).threshold).toBeCloseTo((3 - Math.sqrt(5)) / 2, 6)
})

describe('what is no probability is refused, with its place', () => {
  test.each([Number.NaN, -0.5, -1e-30, 1.001, 2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('%d', (bad) => {
    for (const n of [3, 17, 100_000]) {
      const m = new Float32Array(n).fill(0.25)
      m[n - 2] = bad
      const message = `value ${Math.fround(bad)} at index ${n - 2}`
      expect(() => softDiceOptimum(m)).toThrow(InputError)
      expect(() => softDiceOptimum([m.subarray(0, 1), m.subarray(1)])).toThrow(message)
      expect(() => softDiceOptimumBySort(m)).toThrow(message)
    }
  })
  test('a negative zero is a zero', () => {
    const m = new Float32Array([0.5, -0, 0.25, -0])
    expect(softDiceOptimum(m)).toEqual(softDiceOptimum(m.map(Math.abs)))
  })
})

describe('what is no array of probabilities is refused, float64 is rounded to float32', () => {
  const p = [0.9, 0.2]
  const functions = { softDiceOptimum, softDiceOptimumBySort, iouOptimum, rmaOptimum, accuracyOptimum }
  test.each(Object.entries(functions))('%s', (_, optimum: (m: Probabilities) => object) => {
    const expected = optimum(Float32Array.from(p))
    expect(optimum(Float64Array.from(p))).toEqual(expected)
    expect(optimum([Float64Array.of(0.9), Float32Array.of(0.2)])).toEqual(expected)
    for (const wrong of [p, [p], Uint8Array.of(1, 0), new DataView(new ArrayBuffer(8)), undefined, 0.5]) {
      expect(() => optimum(wrong as unknown as Float32Array)).toThrow(/probabilities: are .*; give a Float32Array/)
    }
  })

  test('[0.9, 0.2]: D* is 2·0.9/(1 + 1.1)', () => {
    expect(softDiceOptimum(Float64Array.from(p)).supDice).toBeCloseTo(1.8 / 2.1, 7)
    expect([...thresholdMask(Float64Array.from(p), 0.5)]).toEqual([1, 0])
  })
})

test('volumes are relative to the expected volume', () => {
  // Σ m = 2.5, all four are taken: t* = 2.5/6.5.
  expect(softDiceOptimum(Float32Array.of(1, 0.5, 0.5, 0.5))).toMatchObject({
    volume: 4,
    probabilityVolume: 2.5,
    volumeRatio: 4 / 2.5,
    volumeHalf: 4,
    volumeRatioHalf: 4 / 2.5,
  })
})
