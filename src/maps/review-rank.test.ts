import { expect, test } from 'vitest'
import type { UnflaggedRow } from './review-flags.ts'
import { rankRows } from './review-rank.ts'

const row = (change: Partial<UnflaggedRow>): UnflaggedRow => ({
  case: 'a',
  class: 'liver',
  threshold: 0.45,
  present: true,
  largest: 1,
  supDice: 0.9,
  softDice: 0.9,
  diceAtHalf: 0.88,
  agreement: 0.95,
  volumeMl: 100,
  volumeHalfMl: 90,
  expectedMl: 100,
  nearLow: undefined,
  nearHigh: undefined,
  lost: 0,
  referenceDice: undefined,
  referenceDiceAtHalf: undefined,
  haze: false,
  ...change,
})
const none = (rows: readonly unknown[]) => rows.map(() => [])

test('what sets a mask apart from its class is measured in robust spreads', () => {
  // Soft Dice 0.50, 0.51 … 0.69: the median is 0.595, the median deviation 0.05.
  const rows = Array.from({ length: 20 }, (_, i) => row({ softDice: 0.5 + 0.01 * i }))
  const usual = rankRows(rows, none(rows))
  expect(usual[0].score).toBeCloseTo(0.095 / (1.4826 * 0.05), 6)
  expect(usual[0].reason).toBeUndefined()
  // A high promise is of no concern.
  expect(usual[19].score).toBe(0)
  rows[3] = row({ softDice: 0.3 })
  const [worst] = rankRows(rows, none(rows)).slice(3)
  expect(worst.reason).toBe('promises a Dice of 0.30, usual 0.59')
  expect(worst.score).toBeGreaterThan(3.5)
})

test('size counts on both sides, the rest on its bad one, and the worst measure is told', () => {
  const rows = Array.from({ length: 12 }, () => row({ referenceDice: 0.8 }))
  rows[1] = row({ referenceDice: 0.8, volumeMl: 50 })
  rows[2] = row({ referenceDice: 0.8, volumeMl: 200 })
  rows[3] = row({ referenceDice: 0.2, volumeMl: 120 })
  rows[4] = row({ referenceDice: 0.8, lost: 0.3 })
  rows[5] = row({ referenceDice: 0.99, agreement: 1, softDice: 1 })
  const concerns = rankRows(rows, none(rows))
  expect(concerns.map((each) => each.reason).slice(0, 6)).toEqual([
    undefined,
    '0.50 times the usual size',
    '2.0 times the usual size',
    'reference Dice 0.20, usual 0.80',
    '30 % went to other classes, usual 0 %',
    undefined,
  ])
  expect(concerns[1].score).toBeCloseTo(concerns[2].score, 9)
  expect(concerns[5].score).toBe(0)
})

test('a flag weighs, and is not told twice', () => {
  const rows = Array.from({ length: 12 }, (_, i) => row({ volumeMl: i === 0 ? 300 : 100 }))
  const flags = rows.map((_, i) =>
    i === 0 ? ['unusual size: 3.0 times the median of the cases'] : i === 1 ? ['x'] : [],
  )
  const concerns = rankRows(rows, flags)
  expect(concerns[0].reason).toBeUndefined()
  expect(concerns[0].score).toBeGreaterThan(concerns[1].score)
  expect(concerns[1].score).toBe(3.5)
  expect(concerns[2].score).toBe(0)
})

test('a class that is nearly always there is missed where it is not; one that often is not, is not', () => {
  const with1 = Array.from({ length: 10 }, (_, i) => row({ present: i > 0, volumeMl: i > 0 ? 100 : 0 }))
  expect(rankRows(with1, none(with1))[0]).toEqual({ score: 3.5, reason: 'absent; there in 9 of 10 cases' })
  const half = Array.from({ length: 20 }, (_, i) => row({ present: i > 9, volumeMl: i > 9 ? 100 : 0 }))
  expect(rankRows(half, none(half))[0]).toEqual({ score: 0, reason: undefined })
})

test('of few cases, those that changed most come first', () => {
  const rows = [row({ agreement: 0.9 }), row({ agreement: 0.6 }), row({ agreement: 0, present: false })]
  const scores = rankRows(rows, none(rows)).map((each) => each.score)
  expect(scores.map((score) => Math.round(10 * score))).toEqual([1, 4, 0])
})

test('a mask unlike that of the cut at ½ is told where the others are alike', () => {
  const rows = Array.from({ length: 12 }, (_, i) => row({ agreement: i === 4 ? 0.5 : 0.95 }))
  const concerns = rankRows(rows, none(rows))
  expect(concerns[4].reason).toBe('Dice with the ½ cut 0.50, usual 0.95')
  expect(concerns[4].score).toBeCloseTo(0.45 / 0.02, 9)
  expect(concerns[5]).toEqual({ score: 0, reason: undefined })
})
