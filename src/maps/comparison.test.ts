import { expect, test } from 'vitest'
import { CutTable } from '../metrics/cut-table.ts'
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
