import { expect, test } from 'vitest'
import type { ThresholdComparison } from '../../maps/comparison.ts'
import { verdicts } from './references.ts'

const interval = (value: number, half: number) => ({ value, low: value - half, high: value + half })

/** A class whose own t* changes the mean Dice by `change`, give or take `half`. */
function comparison(name: string, change: number, half: number) {
  const own = interval(0.6 + change, half)
  const means = { half: interval(0.6, half), atCaseThreshold: own, calibrated: own, fixed: own }
  const differences = { atCaseThreshold: interval(change, half), calibrated: own, fixed: own }
  return { class: name, comparison: { means, differences } as unknown as ThresholdComparison }
}

test('few classes are told one by one, with what their intervals support', () => {
  const [raised, lowered, open] = verdicts([
    comparison('liver', 0.02, 0.01),
    comparison('spleen', -0.02, 0.01),
    comparison('colon', 0.001, 0.01),
  ])
  expect(raised).toContain(
    'liver, against references: t* of each case raises the mean Dice, by +0.0200 (95 % +0.0100 to',
  )
  expect(lowered).toContain('lowers the mean Dice, by −0.0200')
  expect(open).toContain('does not clearly change')
})

test('many classes are told together', () => {
  const many = Array.from({ length: 9 }, (_, i) => comparison(`organ ${i}`, 0.01 * (i - 3), 0.015))
  expect(verdicts(many)).toEqual([
    'Against references, t* of each case raises the mean Dice in 4 of 9 classes and lowers it in 2; the rest is not ' +
      'told apart from the cut at ½. Most: organ 8, +0.0500 (95 % +0.0350 to +0.0650). Least: organ 0, −0.0300 (95 % ' +
      '−0.0450 to −0.0150).',
  ])
})
