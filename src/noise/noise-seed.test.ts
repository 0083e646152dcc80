import { expect, test } from 'vitest'
import { datasetNoiseSeed, sigmaText } from './noise-seed.ts'

test('a strength reads as one number where it is the same on each axis', () => {
  expect([sigmaText([2, 2, 2]), sigmaText([2, 2, 0]), sigmaText([1, 2, 2]), sigmaText([0.5, 0.5, 0.5])]).toEqual([
    '2',
    '2x2x0',
    '1x2x2',
    '0.5',
  ])
})

test('case, group, strength and length scale each have noise of their own, and always the same', () => {
  const noise = { sigmaMm: [2, 2, 2], lengthMm: 8 } as const
  const seeds = [
    datasetNoiseSeed(0, 'a', 'liver', noise),
    datasetNoiseSeed(1, 'a', 'liver', noise),
    datasetNoiseSeed(0, 'b', 'liver', noise),
    datasetNoiseSeed(0, 'a', 'aorta', noise),
    datasetNoiseSeed(0, 'a', 'liver', { ...noise, sigmaMm: [2, 2, 0] }),
    datasetNoiseSeed(0, 'a', 'liver', { ...noise, lengthMm: 9 }),
  ]
  expect(new Set(seeds).size).toBe(6)
  expect(datasetNoiseSeed(0, 'a', 'liver', noise)).toBe(seeds[0])
})
