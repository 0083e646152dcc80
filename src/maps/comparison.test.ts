import { expect, test } from 'vitest'
import type { Presence } from '../decision/decode/presence.ts'
import { calibrated, fitBetaCalibration } from '../metrics/beta-calibration.ts'
import { bestSoftCut, CutTable, tableCuts } from '../metrics/cut-table.ts'
import { randomStream } from '../volume/random.ts'
import { compareThresholds } from './comparison.ts'

test('neither folds nor intervals depend on the order in which cases are given', () => {
  const cases = Array.from({ length: 12 }, (_, i) => {
    const random = randomStream('case', i)
    const probabilities = Float32Array.from({ length: 200 }, () => random.uniform())
    const reference = Uint8Array.from(probabilities, (p) => Number(random.uniform() < p ** 2))
    const table = new CutTable()
    table.add(probabilities, reference, (label) => label === 1)
    return { case: `case-${i}`, table }
  })
  const given = compareThresholds(cases)
  expect(compareThresholds([...cases].reverse())).toEqual(given)
  expect(given.means.atCaseThreshold.low).toBeLessThan(given.means.atCaseThreshold.high)
})

test('what is fitted to references is never applied to a case that it was fitted to', () => {
  // In the first case voxels are in the reference from 0.3 on, in the second from 0.7 on.
  const tables = [0.3, 0.7].map((edge) => {
    const probabilities = Float32Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000)
    const table = new CutTable()
    table.add(
      probabilities,
      Uint8Array.from(probabilities, (p) => Number(p >= edge)),
      (label) => label === 1,
    )
    return table
  })
  const { cases } = compareThresholds(tables.map((table, i) => ({ case: `case-${i}`, table })))
  // One threshold: each case gets the one that is best for the other.
  expect(cases[0].fixed.threshold).toBeCloseTo(0.7, 2)
  expect(cases[1].fixed.threshold).toBeCloseTo(0.3, 2)
  expect(cases[0].fixed.dice).toBeCloseTo((2 * 300) / (700 + 300), 2)
  // Calibration: that of the other case, and its own t* after it.
  for (const [i, table] of tables.entries()) {
    const calibration = fitBetaCalibration([tables[1 - i]])
    const { cut } = bestSoftCut(table, (p) => calibrated(calibration, p))
    expect(cases[i].calibrated.threshold).toBe(tableCuts[cut])
    const own = fitBetaCalibration([table])
    expect(bestSoftCut(table, (p) => calibrated(own, p)).cut).not.toBe(cut)
  }
})

/** A case whose probabilities promise more than its reference holds. */
function overconfident(seed: number) {
  const random = randomStream('overconfident', seed)
  const probabilities = Float32Array.from({ length: 400 }, () => random.uniform())
  const reference = Uint8Array.from(probabilities, (p) => Number(random.uniform() < p ** 3))
  return tabled(`case-${seed}`, probabilities, reference)
}

function tabled(name: string, probabilities: Float32Array, reference: Uint8Array) {
  const table = new CutTable()
  table.add(probabilities, reference, (label) => label === 1)
  return { case: name, table, probabilities, reference }
}

test('calibration error, reliability and the mean curve, voxel by voxel', () => {
  const given = [0, 1, 2].map(overconfident)
  const { calibrationError, reliability, meanDice, calibration } = compareThresholds(given)
  const voxels = given.flatMap(({ probabilities, reference }) =>
    [...probabilities].map((p, i) => ({ p, y: reference[i] })),
  )
  const taken = voxels.filter(({ p }) => p >= 0.01)
  const bins = Array.from({ length: 20 }, (_, b) => taken.filter(({ p }) => Math.min(19, Math.floor(20 * p)) === b))
  const gaps = bins.map((bin) => Math.abs(bin.reduce((sum, { p, y }) => sum + p - y, 0)))
  expect(calibrationError.raw).toBeCloseTo(gaps.reduce((a, b) => a + b) / taken.length, 2)
  expect(calibrationError.raw).toBeGreaterThan(0.15)
  expect(calibrationError.calibrated).toBeLessThan(0.05)
  // Bins of a table that lie on an edge may fall to either side.
  expect(reliability.reduce((sum, bin) => sum + bin.voxels, 0)).toBe(taken.length)
  expect(reliability.length).toBe(20)
  for (const [b, { predicted, observed, voxels }] of reliability.entries()) {
    expect(Math.abs(voxels - bins[b].length)).toBeLessThanOrEqual(3)
    expect(predicted).toBeCloseTo((b + 0.5) / 20, 1)
    expect(observed).toBeCloseTo(bins[b].reduce((sum, { y }) => sum + y, 0) / bins[b].length, 1)
  }
  for (const cut of [100, 400, 500, 600, 900]) {
    const dices = given.map(({ probabilities, reference }) => {
      const mask = [...probabilities].map((p) => Number(p >= tableCuts[cut]))
      const both = mask.reduce((sum, s, i) => sum + s * reference[i], 0)
      return (2 * both) / [...mask, ...reference].reduce((a, b) => a + b, 0)
    })
    expect(meanDice[cut]).toBeCloseTo(dices.reduce((a, b) => a + b) / 3, 12)
  }
  expect(calibrated(calibration, 0.7)).toBeLessThan(0.5)
})

test('differences are those of the means, and a mask that was written otherwise counts as it was written', () => {
  const given = [0, 1, 2, 3].map(overconfident)
  const written = compareThresholds(
    given.map((one, i) => ({
      ...one,
      presence: { mask: i === 0 ? 'empty' : i === 1 ? 'half' : 'optimal' } as Presence,
    })),
  )
  const decided = compareThresholds(given)
  for (const { means, differences } of [written, decided]) {
    for (const rule of ['atCaseThreshold', 'calibrated', 'fixed'] as const) {
      expect(differences[rule].value).toBeCloseTo(means[rule].value - means.half.value, 12)
    }
  }
  expect(written.cases[0].atCaseThreshold.dice).toBe(0)
  expect(written.cases[1].atCaseThreshold).toEqual(written.cases[1].half)
  expect(written.cases[2].atCaseThreshold).toEqual(decided.cases[2].atCaseThreshold)
  // An empty mask of an empty reference is right.
  const nothing = tabled('nothing', Float32Array.of(0.02, 0.01, 0), new Uint8Array(3))
  const { cases } = compareThresholds([...given, nothing])
  expect(cases.at(-1)?.atCaseThreshold.dice).toBe(1)
})

test('many cases are drawn less often: the interval needs no more', () => {
  const few = Array.from({ length: 3 }, (_, i) => overconfident(i))
  const many = Array.from({ length: 201 }, (_, i) => ({ ...few[i % 3], case: `c${i}` }))
  expect(compareThresholds(many).means.half.value).toBeCloseTo(compareThresholds(few).means.half.value, 12)
})
