import { expect, test } from 'vitest'
import { flagRows, type UnflaggedRow } from './review-flags.ts'

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

test('what holds for most masks of a class is told once; what holds for few singles them out', () => {
  const rows = Array.from({ length: 20 }, (_, i) => row({ supDice: 0.6, agreement: i < 5 ? 0.5 : 0.9 }))
  const { flags, common } = flagRows(rows)
  expect(common).toEqual([{ class: 'liver', reason: 'promise a Dice below 0.7', masks: 20, of: 20 }])
  expect(flags.slice(0, 5)).toEqual(Array(5).fill(['differs sharply']))
  expect(flags.slice(5).flat()).toEqual([])
  // Six of twenty are more than a quarter.
  expect(flagRows(rows.map((each, i) => ({ ...each, agreement: i < 6 ? 0.5 : 0.9 }))).flags.flat()).toEqual([])
})

test('few cases, and other classes, keep their flags', () => {
  const few = Array.from({ length: 7 }, () => row({ largest: 0.4, volumeMl: 160 }))
  expect(flagRows(few).flags[0]).toEqual(['no voxel reaches ½', '1.6 times the expected volume'])
  const other = row({ class: 'spleen', lost: 0.25 })
  const { flags } = flagRows([...Array.from({ length: 9 }, () => row({ lost: 0.2 })), other])
  expect(flags.map((each) => each.length)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
})

test('a size far from the others is unusual however many cases there are', () => {
  const rows = Array.from({ length: 12 }, (_, i) => row({ volumeMl: i === 3 ? 300 : 100 + i, expectedMl: 300 }))
  expect(flagRows(rows).flags[3]).toEqual(['unusual size: 2.8 times the median of the cases'])
  expect(flagRows(rows).flags.flat()).toHaveLength(1)
})
