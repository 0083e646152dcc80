import { expect, test } from 'vitest'
import { marginal } from '../noise/marginal.ts'
import { createGrid } from '../volume/grid.ts'
import { sampledDice } from './sampled-dice.ts'

const grid = createGrid([20, 20, 20])
const noise = { sigmaMm: [3, 3, 3], lengthMm: 6 } as const
/** A ball of label 2 in a half-space of label 1. */
const labels = Uint8Array.from({ length: 8000 }, (_, at) => {
  const [i, j, k] = [at % 20, Math.floor(at / 20) % 20, Math.floor(at / 400)]
  return Math.hypot(i - 10, j - 9, k - 9) < 5 ? 2 : Number(i < 10)
})
const m = marginal(labels, grid, 2, noise.sigmaMm)

test('scores the organ’s cuts against its own samples, with paired 95 % intervals', () => {
  const seen: Uint8Array[] = []
  const options = {
    samples: 40,
    seed: 3,
    thresholds: [0.1, 0.3],
    onSample: (s: Uint8Array) => void seen.push(s.slice()),
  }
  const { thresholds, dice, atHalf, atOptimum, gain, regret, best } = sampledDice(
    { labels, grid, label: 2, noise, m },
    options,
  )
  const dices = (t: number): number[] =>
    seen.map((sample) => {
      let both = 0
      let sum = 0
      sample.forEach((inside, at) => {
        const predicted = Number(m[at] >= t)
        both += inside * predicted
        sum += inside + predicted
      })
      return (2 * both) / sum
    })
  const interval = (values: readonly number[]) => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    const sd = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1))
    const half = (1.96 * sd) / Math.sqrt(values.length)
    const close = (x: number) => expect.closeTo(x, 10)
    return { mean: close(mean), low: close(mean - half), high: close(mean + half) }
  }
  expect(seen).toHaveLength(40)
  expect([...thresholds]).toEqual([...new Set([0.1, 0.3, 0.5, ...thresholds])].sort())
  thresholds.forEach((t, i) => {
    expect(dice[i]).toEqual(interval(dices(t)))
  })
  expect(atHalf).toEqual(interval(dices(0.5)))
  const [optimum] = [...thresholds].filter((t) => ![0.1, 0.3, 0.5].includes(t))
  expect(atOptimum).toEqual(interval(dices(optimum)))
  const half = dices(0.5)
  expect(gain).toEqual(interval(dices(optimum).map((d, i) => d - half[i])))
  expect(best.mean - atOptimum.mean).toBeCloseTo(regret.mean, 10)
})

test('samples are labels of the organ alone: 0 and 1', () => {
  const values = new Set<number>()
  sampledDice(
    { labels, grid, label: 2, noise, m },
    {
      samples: 2,
      seed: 0,
      onSample: (sample) => {
        for (const value of sample) values.add(value)
      },
    },
  )
  expect([...values].sort()).toEqual([0, 1])
})
