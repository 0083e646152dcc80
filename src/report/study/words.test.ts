import { expect, test } from 'vitest'
import type { StudyMethod } from '../../study/score-case.ts'
import type { ComparisonRow, SummaryRow } from '../../study/summary.ts'
import { verdictSentences } from './words.ts'

const row = (method: StudyMethod, dice: number, more: Partial<SummaryRow> = {}): SummaryRow => ({
  organ: 'liver',
  sigma_mm: '4',
  length_mm: 16,
  target: 'noisy',
  method,
  cases: 40,
  patients: 40,
  dice_mean: dice,
  dice_low: dice - 0.01,
  dice_high: dice + 0.01,
  dice_fold_sd: 0.01,
  soft_dice_mean: dice,
  threshold_mean: 0.4,
  volume_ratio_mean: 1,
  ece_mean: 0.01,
  brier_mean: 0.01,
  ...more,
})
const pair = (
  first: StudyMethod,
  second: StudyMethod,
  difference: number,
  more: Partial<ComparisonRow> = {},
): ComparisonRow => ({
  organ: 'liver',
  sigma_mm: '4',
  target: 'noisy',
  first,
  second,
  cases: 40,
  patients: 40,
  difference,
  low: difference - 0.004,
  high: difference + 0.004,
  better: 10,
  worse: 30,
  p: 1e-6,
  p_holm: 1e-5,
  ...more,
})

test('the effect is told with its size', () => {
  const summary = [row('soft-dice@half', 0.8), row('ce@half', 0.7), row('ce@case', 0.8), row('ce@oracle', 0.81)]
  const [cost, gain, against, ...more] = verdictSentences(summary, [
    pair('ce@half', 'soft-dice@half', -0.1),
    pair('ce@case', 'ce@half', 0.1),
    pair('ce@case', 'soft-dice@half', 0, { p_holm: 1 }),
  ])
  expect(cost).toBe(
    'Cut at ½, cross-entropy fell behind soft-Dice for liver at σ = 4 mm: Dice 0.700 against 0.800, ' +
      'a difference of −0.100 (95 % −0.104 to −0.096).',
  )
  expect(gain).toContain('raised Dice for liver at σ = 4 mm: the difference was +0.100 (95 % +0.096 to +0.104).')
  expect(against).toContain(
    'was not told apart from soft-Dice for liver at σ = 4 mm: the difference was 0.000 (95 % −0.004 to +0.004).',
  )
  expect(more).toEqual([])
})

test('of several settings, some are counted and the strongest is named', () => {
  const at = (sigma_mm: string, difference: number) => pair('ce@half', 'soft-dice@half', difference, { sigma_mm })
  const cost = (...rows: ComparisonRow[]) => verdictSentences([], rows)[0]
  const effect = (sigma: string) => `for liver at σ = ${sigma} mm: Dice – against –, a difference of −0.100`
  const four = [at('8x8x0', -0.1), at('4x4x0', -0.05), at('2', 0), at('1', 0)]
  expect(cost(...four)).toContain(
    `fell behind soft-Dice in 2 of 4 settings of organ and strength, most ${effect('8 × 8 × 0')}`,
  )
  expect(cost(...four)).toMatch(/In the other 2 no such loss was shown\.$/)
  expect(cost(at('4', -0.1), at('2', 0))).toContain(
    `fell behind soft-Dice in 1 of 2 settings of organ and strength, ${effect('4')}`,
  )
  expect(cost(at('4', -0.1), at('2', 0))).toMatch(/In the other one no such loss was shown\.$/)
  expect(cost(at('4', 0.02), at('2', 0.01))).toContain(
    'in any of 2 settings of organ and strength; ' +
      'the lowest difference was +0.010 (95 % +0.006 to +0.014) (liver at σ = 2 mm)',
  )
})

test('the largest change may be a loss', () => {
  const at = (sigma_mm: string, difference: number) => pair('ce@case', 'ce@half', difference, { sigma_mm })
  const [gain] = verdictSentences([], [at('2', 0.05), at('4x4x0', -0.2)])
  expect(gain).toContain(
    'raised Dice in 1 of 2 settings of organ and strength and lowered it in 1 (liver at σ = 4 × 4 × 0 mm); ' +
      'the largest change was −0.200',
  )
})

test('one setting, whatever came of it', () => {
  const words = (first: StudyMethod, second: StudyMethod, difference: number) =>
    verdictSentences([], [pair(first, second, difference)])[0]
  expect(words('ce@half', 'soft-dice@half', 0)).toContain('fall behind soft-Dice for liver at σ = 4 mm: the difference')
  expect(words('ce@case', 'ce@half', -0.1)).toContain('lowered Dice for liver at σ = 4 mm: the difference was −0.100')
  expect(words('ce@case', 'ce@half', 0)).toContain(
    'was not shown to change Dice for liver at σ = 4 mm: the difference was',
  )
  expect(words('ce@case', 'soft-dice@half', 0.1)).toContain('was better than soft-Dice for liver at σ = 4 mm')
  expect(words('ce@case', 'soft-dice@half', -0.1)).toContain('was worse than soft-Dice for liver at σ = 4 mm')
})

test('an absent, a negligible and an unproved effect are none', () => {
  for (const change of [{ p_holm: 0.2 }, { high: 0.001 }, { difference: -0.004 }]) {
    const [cost] = verdictSentences([row('ce@half', 0.7)], [pair('ce@half', 'soft-dice@half', -0.1, change)])
    expect(cost).toContain('was not shown to fall behind')
  }
})

test('what a threshold cannot mend is said, and where probabilities misled it', () => {
  const unlearned = [row('soft-dice@half', 0.8), row('ce@case', 0.6), row('ce@oracle', 0.7)]
  const text = verdictSentences(unlearned, []).join('\n')
  expect(text).toContain('liver at σ = 4 mm (promised 0.600, scored 0.600, best threshold 0.700)')
  expect(text).toContain('no threshold mends that')
})

test('networks far below the forecast are named', () => {
  const summary = [row('soft-dice@half', 0.6), row('theory@case', 0.8)]
  expect(verdictSentences(summary, []).join()).toContain(
    'far below what theory allows for liver at σ = 4 mm (0.600 of 0.800): ' +
      'these networks are short of training, or their images do not show the organ well.',
  )
  const two = summary.flatMap((one) => [one, { ...one, organ: 'aorta' }])
  expect(verdictSentences(two, []).join()).toContain('do not show these organs well')
})

test('with few patients nothing can be shown, and that is said', () => {
  const text = verdictSentences([], [pair('ce@half', 'soft-dice@half', -0.1, { patients: 5, p_holm: 0.06 })])
  expect(text.at(-1)).toContain('With 5 patients and 1 comparison the corrected test cannot fall below 5 %')
})
