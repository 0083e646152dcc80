import fc from 'fast-check'
import { expect, test } from 'vitest'
import { softDiceOptimum } from './soft-dice.ts'
import { softDiceAt } from './soft-dice-at.ts'

const maps = fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }).map((m) => Float32Array.from(m))

test('is the formula', () => {
  const threshold = fc.float({ min: Math.fround(0.001), max: 1, noNaN: true })
  fc.assert(
    fc.property(maps, threshold, (m, t) => {
      const inside = [...m].filter((x) => x >= t)
      const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
      const denominator = inside.length + sum([...m])
      const { dice, volume } = softDiceAt(m, t)
      expect(volume).toBe(inside.length)
      expect(dice).toBeCloseTo(denominator === 0 ? 1 : (2 * sum(inside)) / denominator, 12)
    }),
  )
})

test('agrees with the optimum at t* and at ½', () => {
  fc.assert(
    fc.property(maps, (m) => {
      const best = softDiceOptimum(m)
      expect(softDiceAt(m, best.threshold).dice).toBeCloseTo(best.supDice, 12)
      expect(softDiceAt(m, 0.5)).toEqual({ dice: best.diceAtHalf, volume: best.volumeHalf })
    }),
  )
})
