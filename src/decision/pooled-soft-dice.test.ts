import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PooledSoftDice } from './pooled-soft-dice.ts'
import { softDiceOptimum } from './soft-dice.ts'
import { generator } from './testing/random.ts'

function pooled(cases: readonly Float32Array[]) {
  const pool = new PooledSoftDice()
  for (const m of cases) pool.add(m)
  pool.refine()
  for (const m of cases) pool.add(m)
  return pool.optimum()
}

/** Both sum exactly up to the rounding of float64, in another order. */
function expectSame(cases: readonly Float32Array[]) {
  const [actual, expected] = [pooled(cases), softDiceOptimum(cases)]
  for (const [key, value] of Object.entries(expected)) {
    expect(Math.abs(actual[key as keyof typeof actual] - value), `${key} ${value}`).toBeLessThanOrEqual(1e-12 * value)
  }
  const inMask = cases.reduce((n, m) => n + m.filter((x) => x >= actual.threshold).length, 0)
  expect(inMask).toBe(actual.volume)
}

describe('is the optimum of all cases at once', () => {
  test('on random cases, with plateaus and ties', () => {
    const value = fc.oneof(
      fc.integer({ min: 0, max: 8 }).map((k) => k / 8),
      fc.float({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(2 ** -149, 1e-20, Math.fround(1 / 3)),
    )
    const cases = fc.array(fc.array(value, { maxLength: 20 }).map((values) => Float32Array.from(values)))
    fc.assert(fc.property(cases, expectSame), { numRuns: 500 })
  })

  test('on a hundred thousand voxels', () => {
    const random = generator(1)
    expectSame([0, 1, 2].map((power) => Float32Array.from({ length: 50_000 }, () => random() ** (2 * power + 1))))
  })

  test('on a tie at the threshold, which is taken in', () => {
    expect(pooled([Float32Array.of(1, 0.25), new Float32Array(7).fill(0.25)]).volume).toBe(
      softDiceOptimum(Float32Array.of(1, ...Array(8).fill(0.25))).volume,
    )
  })

  test('on nothing', () => {
    expectSame([])
    expectSame([new Float32Array(10)])
  })
})

test('a second pass that is not the first is a defect', () => {
  const pool = new PooledSoftDice()
  pool.add(Float32Array.of(0.5))
  pool.refine()
  expect(() => pool.optimum()).toThrow('a second time')
})
