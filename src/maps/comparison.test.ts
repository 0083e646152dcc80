import { expect, test } from 'vitest'
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
