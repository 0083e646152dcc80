import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { python } from '../testing/python.ts'
import { comparePaired, type PairedOptions } from './paired.ts'
import { quantile } from './quantile.ts'

const alternating = (mean: number, spread: number, n: number) =>
  Array.from({ length: n }, (_, i) => mean + (i % 2 === 0 ? spread : -spread) * (1 + i / 100))

/** The verdict on differences, against zeros. */
const verdict = (differences: readonly number[], options: PairedOptions = {}) =>
  comparePaired(
    differences,
    differences.map(() => 0),
    options,
  )?.verdict

test('counts, means, and pairs that are left out', () => {
  const found = comparePaired([0.9, null, 0.7, 0.6, 0.5], [0.8, 0.4, 0.7, null, 0.75], { patients: [...'pqprs'] })
  expect(found).toMatchObject({ cases: 3, patients: 2, leftOut: 2, betterCases: 1, worseCases: 1, equalCases: 1 })
  expect(found?.meanFirst).toBeCloseTo(0.7, 12)
  expect(found?.meanSecond).toBeCloseTo(0.75, 12)
  expect(found?.difference.value).toBeCloseTo(-0.05, 12)
  // Patient p's mean difference is 0.05, patient s's −0.25.
  expect(found?.wilcoxon).toEqual({ statistic: 1, pValue: 1, n: 2 })
  expect(comparePaired([1, 2], [2, 5], { better: 'lower' })).toMatchObject({ betterCases: 2, worseCases: 0 })
  expect(comparePaired([null], [1])).toBeUndefined()
  expect(comparePaired([], [])).toBeUndefined()
})

test('the interval is that of all draws of patients', () => {
  const differences = [0.31, -0.12, 0.55, 0.07, 0.4]
  const patients = ['a', 'b', 'b', 'c', 'd']
  const own = [[0.31], [-0.12, 0.55], [0.07], [0.4]]
  const means = Array.from({ length: 256 }, (_, draw) => {
    const drawn = [0, 2, 4, 6].flatMap((shift) => own[(draw >> shift) & 3])
    return drawn.reduce((sum, x) => sum + x, 0) / drawn.length
  }).sort((x, y) => x - y)
  const zeros = differences.map(() => 0)
  const found = comparePaired(differences, zeros, { patients, draws: 40_000 })?.difference
  // A distribution of few values: draws have its very quantiles.
  expect(found?.low).toBeCloseTo(quantile(means, 0.025), 12)
  expect(found?.high).toBeCloseTo(quantile(means, 0.975), 12)
  expect(found?.value).toBeCloseTo(0.242, 12)
  const few = (options: PairedOptions) => comparePaired(differences, zeros, { draws: 37, ...options })?.difference
  expect(few({})).toEqual(few({}))
  expect(few({})).not.toEqual(few({ patients }))
  expect(few({})).not.toEqual(few({ key: ['other'] }))
  expect(few({ draws: undefined })).toEqual(few({ draws: 10_000 }))
})

test('verdicts', () => {
  const small = alternating(0.02, 0.01, 20)
  expect(verdict(small)).toBe('better')
  expect(verdict(small, { better: 'lower' })).toBe('worse')
  const negative = small.map((d) => -d)
  expect(verdict(negative)).toBe('worse')
  expect(verdict(negative, { better: 'lower' })).toBe('better')
  // Within the margin it does not matter that the difference is sure.
  expect(verdict(small, { margin: 0.05 })).toBe('equivalent')
  expect(verdict(negative, { margin: 0.05 })).toBe('equivalent')
  expect(verdict(small, { margin: 0.02 })).toBe('better')
  const wide = alternating(0.01, 0.2, 20)
  expect(verdict(wide)).toBe('undecided')
  expect(verdict(wide, { margin: 0.05 })).toBe('undecided')
  expect(verdict(wide, { margin: 1 })).toBe('equivalent')
  // Each side of the margin alone does not do.
  expect(verdict(alternating(0.08, 0.06, 20), { margin: 0.09 })).toBe('better')
  expect(verdict(alternating(-0.08, 0.06, 20), { margin: 0.09 })).toBe('worse')
})

test('few patients decide nothing, equal scores everything', () => {
  const five = alternating(0.02, 0.001, 5)
  expect(verdict(five)).toBe('undecided')
  expect(verdict(five, { margin: 1 })).toBe('undecided')
  expect(verdict(alternating(0.02, 0.001, 6))).toBe('better')
  const patients = Array.from({ length: 12 }, (_, i) => String(i % 5))
  expect(verdict(alternating(0.02, 0.001, 12), { patients })).toBe('undecided')
  expect(verdict([0, 0])).toBe('equivalent')
  expect(comparePaired([0.5, 0.5], [0.5, 0.5])?.difference).toEqual({ value: 0, low: 0, high: 0 })
})

test('what cannot be is refused', () => {
  expect(() => comparePaired([1, 2], [1])).toThrow(
    'scores: have lengths 2, 1 and 2 (first, second, patients); give one',
  )
  expect(() => comparePaired([1], [1], { patients: [] })).toThrow('scores: have lengths 1, 1 and 0')
  for (const margin of [0, -1, Number.NaN]) expect(() => comparePaired([1], [1], { margin })).toThrow('margin: is')
})

test('exchanging the methods exchanges the verdict and turns the interval', () => {
  const scores = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 })), {
    minLength: 1,
    maxLength: 15,
  })
  const turned = { better: 'worse', worse: 'better', equivalent: 'equivalent', undecided: 'undecided' } as const
  fc.assert(
    fc.property(scores, fc.constantFrom(undefined, 2), (pairs, margin) => {
      const [first, second] = [0, 1].map((n) => pairs.map((pair) => pair[n]))
      const options = { draws: 200, margin }
      const [there, back] = [comparePaired(first, second, options), comparePaired(second, first, options)]
      if (there === undefined || back === undefined) throw new Error('no pairs')
      expect(back.difference.low).toBeCloseTo(-there.difference.high, 12)
      expect(back.difference.high).toBeCloseTo(-there.difference.low, 12)
      expect(back.betterCases).toBe(there.worseCases)
      expect(back.equalCases).toBe(there.equalCases)
      expect(back.wilcoxon.pValue).toBeCloseTo(there.wilcoxon.pValue, 12)
      expect(back.verdict).toBe(turned[there.verdict])
    }),
    { numRuns: 100 },
  )
})

test.skipIf(python === undefined)("the test is scipy's, on patients' means (needs Python with scipy)", () => {
  const [first, second, patients] = [
    Array.from({ length: 40 }, (_, i) => 0.8 + 0.1 * Math.sin(i * i)),
    Array.from({ length: 40 }, (_, i) => 0.79 + 0.1 * Math.sin(i * i + 0.3)),
    Array.from({ length: 40 }, (_, i) => `p${i % 17}`),
  ]
  const script = `
import json, sys
import numpy as np
from scipy.stats import wilcoxon
first, second, patients = json.loads(sys.argv[1])
differences = np.array(first) - np.array(second)
means = [differences[np.array(patients) == p].mean() for p in sorted(set(patients))]
print(json.dumps(float(wilcoxon(means).pvalue)))`
  const output = execFileSync(python ?? '', ['-c', script, JSON.stringify([first, second, patients])])
  expect(comparePaired(first, second, { patients })?.wilcoxon).toMatchObject({
    pValue: expect.closeTo(Number(output), 12),
    n: 17,
  })
})
