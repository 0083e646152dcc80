import { describe, expect, test } from 'vitest'
import { readVolume } from '../src/formats/volume-file.ts'
import { marginal } from '../src/noise/marginal.ts'
import type { NoiseModel } from '../src/noise/model.ts'
import { createSampler } from '../src/noise/sampler.ts'
import { createGrid, type Grid, type Vec3 } from '../src/volume/grid.ts'
import { type LabelArray, labelMapOf } from '../src/volume/labels.ts'
import { hasSharedData, sharedData } from './support/halfdice.ts'

// Sampled frequencies against the closed form on real organs; skipped where ../shared/data is absent.

/** How far the frequencies of a label over n samples lie from its marginal, in standard errors. */
function zScores(labels: LabelArray, grid: Grid, label: number, noise: NoiseModel, n: number) {
  const sampler = createSampler(labels, grid, noise)
  const counts = new Float64Array(labels.length)
  const out = labels.slice()
  for (let s = 0; s < n; s++) {
    sampler.sample(5, s, out)
    for (let i = 0; i < out.length; i++) if (out[i] === label) counts[i]++
  }
  const m = marginal(labels, grid, label, noise)
  const scores: number[] = []
  for (let i = 0; i < m.length; i++) {
    const variance = n * m[i] * (1 - m[i])
    // Rarer events are too few for a normal approximation.
    if (variance >= 9) scores.push((counts[i] - n * m[i]) / Math.sqrt(variance))
  }
  return scores
}

describe.skipIf(!hasSharedData)('frequencies over 3000 samples of a hippocampus', () => {
  const sigmaMm: Vec3 = [2, 2, 2]
  const read = async () => {
    const path = sharedData('Dataset004_Hippocampus/labelsTr/hippocampus_001.nii.gz')
    const volume = await readVolume(path)
    return { grid: volume.grid, labels: labelMapOf(volume, path).values }
  }
  const check = (scores: readonly number[]) => {
    expect(scores.length).toBeGreaterThan(1500)
    // Thousands of correlated scores: beyond 5.5 by chance with probability 10⁻⁴; their mean square is about 1.
    expect(Math.max(...scores.map(Math.abs))).toBeLessThan(5.5)
    const meanSquare = scores.reduce((sum, z) => sum + z * z, 0) / scores.length
    expect(meanSquare).toBeGreaterThan(0.6)
    expect(meanSquare).toBeLessThan(1.5)
  }

  test('agree with the marginal at every voxel, both parts', async () => {
    const { labels, grid } = await read()
    for (const label of [1, 2]) check(zScores(labels, grid, label, { sigmaMm, lengthMm: 4 }, 3000))
  })

  test('also of annotators who leave parts out and draw outlines wide or tight', async () => {
    const { labels, grid } = await read()
    const noise = { sigmaMm: [1.2, 0.8, 1], lengthMm: 4, presence: 0.75, biasMm: 0.4, biasSdMm: 0.7 } as const
    for (const label of [1, 2]) {
      const scores = zScores(labels, grid, label, noise, 1500)
      expect(scores.length).toBeGreaterThan(1500)
      expect(Math.max(...scores.map(Math.abs))).toBeLessThan(5.5)
      // Presence and bias move all voxels of a sample at once: the mean square is that of a few numbers, not thousands.
      expect(scores.reduce((sum, z) => sum + z * z, 0) / scores.length).toBeLessThan(4)
    }
  })

  test('also where the image ends within the organ', async () => {
    const { labels, grid } = await read()
    const [nx, ny, nz] = grid.shape
    // Only what lies beyond the organ's mean position along i: the new face cuts the organ where it is thick.
    const inside = [...labels.keys()].filter((i) => labels[i] > 0)
    const start = [Math.round(inside.reduce((sum, i) => sum + (i % nx), 0) / inside.length), 0, 0]
    const shape: Vec3 = [nx - start[0], ny - start[1], nz - start[2]]
    const half = new Uint8Array(shape[0] * shape[1] * shape[2]).map((_, i) => {
      const [x, y, z] = [i % shape[0], Math.floor(i / shape[0]) % shape[1], Math.floor(i / shape[0] / shape[1])]
      return labels[((z + start[2]) * ny + y + start[1]) * nx + x + start[0]] > 0 ? 1 : 0
    })
    expect(half.filter((v, i) => v === 1 && i % shape[0] === 0).length).toBeGreaterThan(50)
    check(zScores(half, createGrid(shape, grid.spacing), 1, { sigmaMm, lengthMm: 4 }, 3000))
  })
})
