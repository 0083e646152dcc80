import { expect, test } from 'vitest'
import { wilcoxonSignedRank } from '../metrics/statistics/wilcoxon.ts'
import type { ScoreRow } from './score-table.ts'
import { compare, summarise } from './summary.ts'

/** Two frames of each of 12 patients; `ce@case` is better than `ce@half` by a known, varying amount. */
const gain = (i: number) => 0.05 + 0.01 * Math.sin(7 * i)
const rows = ['x', 'y'].flatMap((organ) =>
  Array.from({ length: 24 }, (_, i) => i).flatMap((i) =>
    (['ce@half', 'ce@case'] as const).map((method): ScoreRow => {
      const dice = 0.6 + 0.1 * Math.sin(i) + (method === 'ce@case' ? gain(i) : 0)
      return {
        organ,
        sigma_mm: '2',
        length_mm: 8,
        fold: i % 3,
        replicate: 0,
        loss: 'cross-entropy',
        method,
        case: `c${i}`,
        patient: `p${Math.floor(i / 2)}`,
        threshold: 0.5,
        dice_noisy: dice,
        dice_clean: dice / 2,
        volume_ratio: 1 + i,
        soft_dice: 0.7,
        ece: 0.1,
        brier: 0.2,
        nll: 0.3,
      }
    }),
  ),
)

test('means, intervals and the deviation of folds', () => {
  const summary = summarise(rows, 500)
  expect(summary.map(({ organ, target, method }) => `${organ} ${target} ${method}`)).toEqual(
    ['x', 'y'].flatMap((organ) =>
      ['noisy', 'clean'].flatMap((target) => ['ce@half', 'ce@case'].map((method) => `${organ} ${target} ${method}`)),
    ),
  )
  const [half] = summary
  const own = rows.filter((row) => row.organ === 'x' && row.method === 'ce@half')
  const mean = own.reduce((sum, row) => sum + row.dice_noisy, 0) / 24
  expect(half).toMatchObject({ cases: 24, patients: 12, threshold_mean: 0.5, volume_ratio_mean: 12.5 })
  expect(half.dice_mean).toBeCloseTo(mean, 12)
  expect(half.dice_low).toBeLessThan(mean)
  expect(half.dice_high).toBeGreaterThan(mean)
  const folds = [0, 1, 2].map(
    (fold) => own.filter((row) => row.fold === fold).reduce((sum, row) => sum + row.dice_noisy, 0) / 8,
  )
  const centre = folds.reduce((a, b) => a + b) / 3
  expect(half.dice_fold_sd).toBeCloseTo(Math.sqrt(folds.reduce((sum, f) => sum + (f - centre) ** 2, 0) / 2), 12)
})

test('pairs are matched by case, tested by patient, corrected over the table', () => {
  // Order does not matter: pairs are found by name.
  const comparisons = compare([...rows].reverse(), 500)
  const noisy = comparisons.filter(({ target }) => target === 'noisy')
  expect(noisy.map(({ first, second }) => [first, second])).toEqual([
    ['ce@case', 'ce@half'],
    ['ce@case', 'ce@half'],
  ])
  const gains = Array.from({ length: 24 }, (_, i) => gain(i))
  const patients = Array.from({ length: 12 }, (_, p) => (gains[2 * p] + gains[2 * p + 1]) / 2)
  const { pValue } = wilcoxonSignedRank(patients)
  for (const row of noisy) {
    expect(row).toMatchObject({ cases: 24, patients: 12, better: 24, worse: 0 })
    expect(row.difference).toBeCloseTo(gains.reduce((a, b) => a + b) / 24, 12)
    expect(row.p).toBe(pValue)
    expect(row.p_holm).toBe(2 * pValue)
    expect(row.low).toBeGreaterThan(0.04)
    expect(row.high).toBeLessThan(0.06)
  }
})

test('no number depends on the order of the rows', () => {
  const key = (row: { organ: string; target: string }) => JSON.stringify(row)
  for (const table of [summarise, compare]) {
    const given = table(rows, 300).map(key)
    expect(
      table([...rows].reverse(), 300)
        .map(key)
        .sort(),
    ).toEqual(given.sort())
  }
})

test('replicates and patients are both drawn: replicates that differ widen the interval, copies do not', () => {
  const one = rows.filter((row) => row.organ === 'x')
  const shifted = (shift: number) =>
    one.map((row) => ({ ...row, replicate: 1, dice_noisy: row.dice_noisy - (row.method === 'ce@case' ? shift : 0) }))
  const noisy = (more: readonly ScoreRow[]) => compare([...one, ...more], 2000).find(({ target }) => target === 'noisy')
  const [alone, copied, apart] = [noisy([]), noisy(shifted(0)), noisy(shifted(0.04))].map((row) => row!)
  expect([alone, copied, apart].map(({ cases, patients, replicates }) => [cases, patients, replicates])).toEqual([
    [24, 12, 1],
    [24, 12, 2],
    [24, 12, 2],
  ])
  const width = ({ low, high }: { low: number; high: number }) => high - low
  expect(copied.difference).toBeCloseTo(alone.difference, 12)
  expect(width(copied)).toBeCloseTo(width(alone), 3)
  expect(apart.difference).toBeCloseTo(alone.difference - 0.02, 12)
  // Both replicates the same, once in two draws: the interval holds each of them.
  expect(apart.low).toBeLessThan(alone.difference - 0.04)
  expect(apart.high).toBeGreaterThan(alone.difference)
})

test('a gain is compared with a gain, case by case', () => {
  const lift = { 'ce@rma': 0.05, 'dice-ce@half': 0.01, 'dice-ce@rma': 0.02 } as const
  const half = rows.filter(({ organ, method }) => organ === 'x' && method === 'ce@half')
  const more = Object.entries(lift).flatMap(([method, gain]) =>
    half.map((row) => ({ ...row, method, dice_noisy: row.dice_noisy + gain })),
  )
  const interaction = compare([...half, ...more], 200).find(({ first }) => first === 'ce@rma-ce@half')
  expect(interaction).toMatchObject({ second: 'dice-ce@rma-dice-ce@half', cases: 24, patients: 12, target: 'noisy' })
  expect(interaction?.difference).toBeCloseTo(0.04, 12)
})
