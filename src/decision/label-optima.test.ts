import { expect, test } from 'vitest'
import { foldProbability } from '../noise/fold.ts'
import { marginal } from '../noise/marginal.ts'
import { createGrid } from '../volume/grid.ts'
import { labelOptima } from './label-optima.ts'
import { sampledDice } from './sampled-dice.ts'
import { softDiceOptimum } from './soft-dice.ts'

const grid = createGrid([12, 11, 10], [1, 2, 3])
/** A block of label 1 beside a block of label 2. */
const values = Uint8Array.from({ length: 12 * 11 * 10 }, (_, n) => {
  const [i, j, k] = [n % 12, Math.floor(n / 12) % 11, Math.floor(n / 132)]
  const inside = j >= 3 && j < 8 && k >= 3 && k < 7
  return inside && i >= 2 && i < 9 ? (i < 6 ? 1 : 2) : 0
})
const sigmasMm = [
  [1, 1, 1],
  [2, 2, 3],
] as const

test('each label at each strength is the optimum of its marginal, in ml', () => {
  const done: number[] = []
  const rows = labelOptima(values, grid, { labels: [2, 1], sigmasMm, onProgress: (n) => done.push(n) })
  expect(rows.map(({ label, sigmaMm }) => [label, sigmaMm])).toEqual([
    [2, sigmasMm[0]],
    [2, sigmasMm[1]],
    [1, sigmasMm[0]],
    [1, sigmasMm[1]],
  ])
  expect(done).toEqual([1, 2, 3, 4])
  for (const row of rows) {
    const m = marginal(values, grid, row.label, { sigmaMm: row.sigmaMm })
    const best = softDiceOptimum(m)
    expect(row.supDice).toBeCloseTo(best.supDice, 6)
    expect(row.threshold).toBeCloseTo(best.supDice / 2, 6)
    expect(row.diceAtHalf).toBeCloseTo(best.diceAtHalf, 6)
    const ml = m.reduce((sum, p) => sum + p, 0) * 0.006
    expect(row.probabilityVolumeMl).toBeCloseTo(ml, 6)
    const taken = (t: number) => m.filter((p) => p >= t).length
    expect(row.volumeRatioDice * ml).toBeCloseTo(taken(row.threshold) * 0.006, 6)
    expect(row.volumeRatioHalf * ml).toBeCloseTo(taken(0.5) * 0.006, 6)
    // Nobody has said how the field varies in space.
    expect(Object.keys(row).filter((key) => /fold|expected|empty/.test(key))).toEqual([])
  }
})

test('a length scale adds folding, samples add the mean Dice, and presence what nothing would score', () => {
  const noise = { sigmaMm: sigmasMm[1], lengthMm: 12, presence: 0.8 }
  const annotators = { presence: 0.8 }
  const given = { labels: [1], sigmasMm: [sigmasMm[1]], lengthMm: 12, annotators }
  const [bare] = labelOptima(values, grid, given)
  expect(bare.foldProbability).toBe(foldProbability(noise, grid))
  expect(bare.foldProbability).toBeGreaterThan(0)
  expect(bare.expectedDice).toBe(undefined)
  expect(bare.emptyDice).toBeCloseTo(0.2, 12)
  const [sampled] = labelOptima(values, grid, { ...given, samples: { count: 12, seed: 3 } })
  const m = marginal(values, grid, 1, noise)
  const { atHalf, atOptimum, best, gain, regret } = sampledDice(
    { labels: values, grid, label: 1, noise, m },
    { samples: 12, seed: 3 },
  )
  expect(sampled).toEqual({ ...bare, expectedDice: { atHalf, atOptimum, best, gain, regret } })
})

test('a label that is not there has a best Dice of 1, with nothing', () => {
  const [row] = labelOptima(values, grid, { labels: [7], sigmasMm: [[1, 1, 1]] })
  expect(row).toMatchObject({ supDice: 1, threshold: 0.5, probabilityVolumeMl: 0, volumeRatioDice: 1 })
})
