import { expect, test } from 'vitest'
import { createGrid } from '../volume/grid.ts'
import { neighbourhood } from './neighbourhood.ts'

test('is the organ’s box grown by 3σ along each axis, cut at the image’s edge', () => {
  const grid = createGrid([30, 20, 10], [1, 2, 4])
  const organ = new Uint8Array(6000)
  const at = (i: number, j: number, k: number) => (k * 20 + j) * 30 + i
  organ[at(14, 10, 1)] = 1
  organ[at(16, 10, 2)] = 1
  const inside = new Set(neighbourhood(organ, grid, { sigmaMm: [2, 2, 1] }))
  // 6 mm: 6 voxels along i, 3 along j; 3 mm: 1 voxel of 4 mm along k.
  for (let k = 0; k < 10; k++) {
    for (let j = 0; j < 20; j++) {
      for (let i = 0; i < 30; i++) {
        const expected = i >= 8 && i <= 22 && j >= 7 && j <= 13 && k <= 3
        expect(inside.has(at(i, j, k)), `${i}, ${j}, ${k}`).toBe(expected)
      }
    }
  }
  expect(neighbourhood(new Uint8Array(6000), grid, { sigmaMm: [2, 2, 1] })).toHaveLength(0)
})

test('reaches as far as annotators draw outlines outwards', () => {
  const grid = createGrid([40, 1, 1])
  const organ = new Uint8Array(40)
  organ[20] = 1
  const size = (noise: { biasMm?: number; biasSdMm?: number }) =>
    neighbourhood(organ, grid, { sigmaMm: [1, 0, 0], ...noise }).length
  expect([size({}), size({ biasMm: 2 }), size({ biasMm: -2 }), size({ biasSdMm: 1 })]).toEqual([7, 11, 7, 13])
})
