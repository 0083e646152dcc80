import { expect, test } from 'vitest'
import type { StudyMethod } from '../../study/score-case.ts'
import type { Compared, ComparisonRow, SummaryRow } from '../../study/summary.ts'
import { verdictSentences } from './words.ts'

const row = (method: StudyMethod, dice: number, more: Partial<SummaryRow> = {}): SummaryRow => ({
  organ: 'liver',
  sigma_mm: '4',
  length_mm: 16,
  target: 'noisy',
  method,
  cases: 40,
  patients: 40,
  replicates: 1,
  dice_mean: dice,
  dice_low: dice - 0.01,
  dice_high: dice + 0.01,
  dice_fold_sd: 0.01,
  soft_dice_mean: dice,
  threshold_mean: 0.4,
  volume_ratio_mean: 1,
  ece_mean: 0.01,
  brier_mean: 0.01,
  nll_mean: 0.05,
  ...more,
})
const pair = (
  first: Compared,
  second: Compared,
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
  replicates: 1,
  difference,
  low: difference - 0.004,
  high: difference + 0.004,
  better: 10,
  worse: 30,
  p: 1e-6,
  p_holm: 1e-5,
  ...more,
})

const words = (rows: readonly ComparisonRow[], margin = 0.01) => verdictSentences([], rows, margin)

test.each([
  [0.1, {}, 'better than soft-Dice for liver at σ = 4 mm: +0.100 (95 % +0.096 to +0.104).'],
  [-0.1, {}, 'worse than soft-Dice for liver at σ = 4 mm: −0.100 (95 % −0.104 to −0.096).'],
  [
    0.001,
    { p_holm: 0.3 },
    'equivalent within 0.01 to soft-Dice for liver at σ = 4 mm: +0.001 (95 % −0.003 to +0.005).',
  ],
  [
    -0.005,
    {},
    'equivalent within 0.01 to soft-Dice for liver at σ = 4 mm, worse by a small but significant difference: ' +
      '−0.005 (95 % −0.009 to −0.001).',
  ],
  [0.008, { p_holm: 0.3 }, 'not decided against soft-Dice for liver at σ = 4 mm: +0.008 (95 % +0.004 to +0.012).'],
  [0.1, { low: -0.01 }, 'not decided against soft-Dice for liver at σ = 4 mm: +0.100 (95 % −0.010 to +0.104).'],
])('one setting: a difference of %d', (difference, more, said) => {
  expect(words([pair('ce@half', 'soft-dice@half', difference, more)])).toEqual([
    `With the noisy labels: Cut at ½, cross-entropy was ${said}`,
  ])
})

test('of several settings each is counted once, the largest named, small but significant ones told', () => {
  const at = (sigma_mm: string, difference: number, more = {}) =>
    pair('ce@case', 'soft-dice@half', difference, { sigma_mm, ...more })
  const rows = [at('8x8x0', -0.1), at('1', 0.02), at('2', -0.005), at('3', 0.004, { low: 0.001 }), at('4', -0.009)]
  expect(words(rows)).toEqual([
    'With the noisy labels: Cut at t*, cross-entropy was better than soft-Dice in 1, worse in 2, equivalent within ' +
      '0.01 in 2 and undecided in 0 of 5 settings of organ and strength; the largest difference was −0.100 (95 % ' +
      '−0.104 to −0.096) (liver at σ = 8 × 8 × 0 mm). Small but significant differences are among the equivalent: ' +
      'better in 1, worse in 1.',
  ])
  // Another margin, another verdict: it is part of the sentence.
  expect(words(rows, 0.2)[0]).toContain('worse in 0, equivalent within 0.2 in 5')
  expect(words(rows, 0.2)[0]).toContain('better in 2, worse in 3.')
})

test('clean labels get the same sentences, and gains are larger or smaller', () => {
  const clean = { target: 'clean' } as const
  expect(words([pair('ce@case', 'ce@half', -0.1, clean)])).toEqual([
    "With the clean labels: Cut at each case's own t*, for which no label is needed, cross-entropy was worse than " +
      'the same networks cut at ½ for liver at σ = 4 mm: −0.100 (95 % −0.104 to −0.096).',
  ])
  const [half, gain] = words([
    pair('ce@half', 'soft-dice@half', 0.1),
    pair('ce@rma-ce@half', 'dice-ce@rma-dice-ce@half', 0.1),
  ])
  expect(half).toContain('With the noisy labels: Cut')
  expect(gain).toMatch(/^What RMA gains over ½ with cross-entropy was larger than what it gains with Dice/)
})

test('what a threshold cannot mend is said, and where probabilities misled it', () => {
  const unlearned = [row('soft-dice@half', 0.8), row('ce@case', 0.6), row('ce@oracle', 0.7)]
  const text = verdictSentences(unlearned, [], 0.01).join('\n')
  expect(text).toContain('liver at σ = 4 mm (promised 0.600, scored 0.600, best threshold 0.700)')
  expect(text).toContain('no threshold mends that')
})

test('networks far below the forecast are named', () => {
  const summary = [row('soft-dice@half', 0.6), row('theory@case', 0.8)]
  expect(verdictSentences(summary, [], 0.01).join()).toContain(
    'far below what theory allows for liver at σ = 4 mm (0.600 of 0.800): ' +
      'these networks are short of training, or their images do not show the organ well.',
  )
  const two = summary.flatMap((one) => [one, { ...one, organ: 'aorta' }])
  expect(verdictSentences(two, [], 0.01).join()).toContain('do not show these organs well')
})

test('with few patients nothing can be shown, and that is said', () => {
  const text = words([pair('ce@half', 'soft-dice@half', -0.1, { patients: 5, p_holm: 0.06 })])
  expect(text.at(-1)).toContain('With 5 patients and 1 comparison the corrected test cannot fall below 5 %')
})
