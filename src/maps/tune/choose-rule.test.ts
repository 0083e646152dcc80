import { expect, test } from 'vitest'
import { calibrated } from '../../metrics/beta-calibration.ts'
import { CutTable, diceAtCuts, halfCut, tableCuts } from '../../metrics/cut-table.ts'
import { componentCurves } from '../../metrics/post-processing/component-curves.ts'
import { randomStream } from '../../volume/random.ts'
import { allCandidates, type Candidate, type TunedCase } from './candidates.ts'
import { chooseRule } from './choose-rule.ts'
import type { CutRule } from './rule.ts'

const plain = (cut: CutRule): Candidate => ({ cut, holes: false, keep: 'all' })
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

/**
 * A cohort of blurred balls: in each case labels are drawn with the true probabilities, and the network says what
 * `said` makes of these.
 */
function cohort(cases: number, said: (p: number) => number, patientOf = (i: number) => `p${i}`): TunedCase[] {
  return Array.from({ length: cases }, (_, i) => {
    const random = randomStream(3, 'tune', i)
    const truth = Float64Array.from({ length: 3000 }, (_, v) => sigmoid((300 + 60 * (i % 3) - v) / 60) * 0.9)
    const labels = Uint8Array.from(truth, (p) => Number(random.uniform() < p))
    const table = new CutTable()
    table.add(Float32Array.from(truth, said), labels, (label) => label === 1)
    return { case: `c${String(i).padStart(2, '0')}`, patient: patientOf(i), table, curves: new Map(), voxelMm3: 2 }
  })
}

test("calibrated probabilities: t* is chosen, and the promise is near the truth's", () => {
  const given = cohort(24, (p) => p)
  const { candidate, rule, gain, dice, diceAtHalf, cases, patients, tried } = chooseRule(given, true)
  // All cases have nearly one t*: one for all of them is estimated from more voxels.
  expect(candidate).toEqual(plain('pooled'))
  expect([cases, patients]).toEqual([24, 24])
  expect(gain.value).toBeCloseTo(dice - diceAtHalf, 12)
  expect(gain.low).toBeGreaterThan(0)
  const half = given.reduce((sum, { table }) => sum + diceAtCuts(table)[halfCut], 0) / 24
  expect(diceAtHalf).toBeCloseTo(half, 12)
  // New cases of the same kind gain what was promised.
  const fresh = cohort(60, (p) => p).slice(24)
  const at = tableCuts.indexOf(rule.at ?? 0)
  const gains = fresh.map(({ table }) => diceAtCuts(table)[at] - diceAtCuts(table)[halfCut])
  const realised = gains.reduce((a, b) => a + b, 0) / gains.length
  expect(realised).toBeGreaterThan(gain.low)
  expect(realised).toBeLessThan(gain.high)
  // Without components that could be removed nothing else is tried.
  expect(tried.map(({ cut, holes, keep }) => ({ cut, holes, keep }))).toEqual(allCandidates().slice(0, 7))
  expect(tried[0].difference).toEqual({ value: 0, low: 0, high: 0 })
})

test('probabilities that are pushed down: calibration or one threshold mends what t* cannot', () => {
  const squashed = (p: number) => calibrated({ a: 1, b: 1, c: -4 }, p)
  const { candidate, rule, gain, tried } = chooseRule(cohort(24, squashed), true)
  expect([candidate, rule.at]).toEqual([plain('beta'), undefined])
  expect(gain.low).toBeGreaterThan(0.1)
  const dice = new Map(tried.map((each) => [each.cut, each.dice]))
  expect(dice.get('beta')).toBeGreaterThan((dice.get('case') ?? 1) - 1e-9)
  // What was taken off the logit comes back.
  const { a = 0, b = 0, c = 0 } = rule.calibration ?? {}
  expect([Math.abs(a - 1) < 0.15, Math.abs(b - 1) < 0.15, Math.abs(c - 4) < 0.3]).toEqual([true, true, true])
})

test('where nothing is better than ½ by its interval, ½ stays, and promises nothing', () => {
  // Sure and right: every cut gives the same mask.
  const sure = (p: number) => (p > 0.45 ? 1 : 0)
  const given = cohort(12, sure)
  const { candidate, rule, gain } = chooseRule(given, true)
  expect([candidate, rule.at]).toEqual([plain('half'), 0.5])
  expect(gain).toEqual({ value: 0, low: 0, high: 0 })
})

test.each([2, 5, 6])('%i patients tell no gain from chance', (count) => {
  const { candidate, tried, patients } = chooseRule(
    cohort(
      12,
      (p) => p,
      (i) => `p${i % count}`,
    ),
    true,
  )
  expect([candidate, tried, patients]).toEqual([plain('half'), [], count])
})

test('neither the order of the cases nor the names of patients change the choice', () => {
  const given = cohort(
    15,
    (p) => p,
    (i) => `p${i >> 1}`,
  )
  expect(chooseRule(given.toReversed(), true)).toEqual(chooseRule(given, true))
})

test('what is fitted to a patient is never applied to it: labels at random promise nothing', () => {
  const random = randomStream(9, 'noise')
  const given = Array.from({ length: 30 }, (_, i) => {
    const table = new CutTable()
    const map = Float32Array.from({ length: 400 }, () => random.uniform())
    table.add(
      map,
      Uint8Array.from(map, () => Number(random.uniform() < 0.5)),
      (label) => label === 1,
    )
    return { case: `c${i}`, patient: `p${i}`, table, curves: new Map(), voxelMm3: 1 }
  })
  const { candidate, gain } = chooseRule(given, true)
  // Labels without a relation to the map: taking all voxels in is best, and that is what is promised.
  expect(candidate.cut).not.toBe('half')
  expect(gain.value).toBeCloseTo(2 / 3 - 1 / 2, 1)
})

test('cases whose own t* differ: it is chosen, with the smallest case where the class is clearly there, in mm³', () => {
  // Sharp outlines have a t* near ½, blurred ones a low one.
  const given = Array.from({ length: 24 }, (_, i): TunedCase => {
    const random = randomStream(4, 'tune', i)
    const [size, width] = i % 2 === 0 ? [600, 15] : [250, 400]
    const map = Float32Array.from({ length: 3000 }, (_, v) => sigmoid((size - v) / width))
    const labels = Uint8Array.from(map, (p) => Number(random.uniform() < p))
    const table = new CutTable()
    table.add(map, labels, (label) => label === 1)
    return { case: `c${i}`, patient: `p${i}`, table, curves: new Map(), voxelMm3: 2 }
  })
  const { rule, candidate } = chooseRule(given, true)
  const masses = given.map(({ table }) => table.sums.reduce((a, b) => a + b, 0))
  expect(candidate).toEqual(plain('case'))
  expect(rule).toEqual({ cut: 'case', smallestMm3: 2 * Math.min(...masses) })
})

/** Rows of voxels: a run that is the object, and others beside it that look like it. */
function specked(cases: number, speck: (i: number) => number): TunedCase[] {
  return Array.from({ length: cases }, (_, i): TunedCase => {
    const random = randomStream(11, 'specks', i)
    const map = Float32Array.from({ length: 200 }, (_, v) => (v >= 20 && v < 60 ? 0.9 : 0.02))
    const labels = Uint8Array.from(map, (p) => Number(p > 0.5 && random.uniform() < 0.95))
    for (let n = 0; n < 3; n++) map.fill(0.8, 80 + 40 * n, 80 + 40 * n + speck(i))
    const table = new CutTable()
    table.add(map, labels, (label) => label === 1)
    const curves = componentCurves(map, { shape: [200, 1, 1], voxelMm3: 1 }, labels, (label) => label === 1)
    return { case: `c${String(i).padStart(2, '0')}`, patient: `p${i}`, table, curves, voxelMm3: 1 }
  })
}

test('false components: the largest is kept, and the promise is what that gains', () => {
  const { candidate, rule, gain, diceAtHalf, dice } = chooseRule(
    specked(15, (i) => 10 + (i % 5)),
    true,
  )
  expect(candidate).toEqual({ cut: 'half', holes: false, keep: 'largest' })
  expect(rule).toEqual({ cut: 'half', at: 0.5, postProcessing: { holes: false, keep: 'largest' } })
  // 36 specks of 40 + 36 voxels are gone: 2·38/(40 + 38) instead of 2·38/(76 + 38), nearly.
  expect(gain.value).toBeCloseTo((2 * 38) / 78 - (2 * 38) / 114, 1)
  expect(dice - diceAtHalf).toBeCloseTo(gain.value, 12)
})

test('what helps some cases and hurts others is not done', () => {
  // Two objects of one size: the largest component is one of them.
  const given = specked(15, () => 0).map((each, i) => {
    const map = Float32Array.from({ length: 200 }, (_, v) => (v >= 20 && v < 60 + (i % 7) ? 0.9 : 0.02))
    map.fill(0.9, 100, 140)
    const labels = Uint8Array.from(map, (p) => Number(p > 0.5))
    const table = new CutTable()
    table.add(map, labels, (label) => label === 1)
    const curves = componentCurves(map, { shape: [200, 1, 1], voxelMm3: 1 }, labels, (label) => label === 1)
    return { ...each, table, curves }
  })
  expect(chooseRule(given, true).rule.postProcessing).toBeUndefined()
})

test('small components are removed up to the size that serves the cases best', () => {
  // Two objects, of 40 and 30 voxels, and specks of 10 to 14 that are none: the largest component is not enough.
  const given = specked(15, (i) => 10 + (i % 5)).map((each, n): TunedCase => {
    const map = Float32Array.from({ length: 240 }, (_, v) =>
      (v >= 20 && v < 60) || (v >= 200 && v < 235) ? 0.9 : 0.02,
    )
    const labels = Uint8Array.from(map, (p) => Number(p > 0.5))
    for (const at of [80, 120, 160]) map.fill(0.95, at, at + 10 + (n % 5))
    const table = new CutTable()
    table.add(map, labels, (label) => label === 1)
    const curves = componentCurves(map, { shape: [240, 1, 1], voxelMm3: 1 }, labels, (label) => label === 1)
    return { ...each, table, curves }
  })
  const { candidate, rule, dice } = chooseRule(given, true)
  expect(candidate).toEqual({ cut: 'half', holes: false, keep: 'large' })
  expect(rule).toEqual({ cut: 'half', at: 0.5, postProcessing: { holes: false, keep: 30 } })
  expect(dice).toBeCloseTo(1, 6)
})
