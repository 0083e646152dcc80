import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { writeVolume } from '../formats/volume-file.ts'
import { createGrid, type Grid, type Mat3, voxelCount, worldPosition } from '../volume/grid.ts'
import { sampleImage } from './sample-image.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-sample-'))
afterAll(() => rmSync(folder, { recursive: true }))

const image = createGrid([12, 10, 8], [1, 1.5, 2])

/** Calls `visit` for each voxel of a grid with its index and its place in space. */
function eachVoxel(grid: Grid, visit: (at: number, world: readonly number[]) => void): void {
  const [nx, ny] = grid.shape
  for (let at = 0; at < voxelCount(grid); at++) {
    visit(at, worldPosition(grid, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / nx / ny)]))
  }
}

/** The image holds 1000·round(x) + 100·j + k, and a second channel that must not be seen. */
async function writeImageOf(): Promise<string> {
  const data = new Int16Array(2 * voxelCount(image)).fill(-5)
  eachVoxel(image, (at, [x, y, z]) => {
    data[at] = 1000 * Math.round(x) + 100 * Math.round(y / 1.5) + Math.round(z / 2)
  })
  const path = join(folder, 'image.nii.gz')
  await writeVolume(path, { grid: image, channels: 2, data, scaling: { slope: 0.5, intercept: 3 } })
  return path
}

test('each voxel of a grid gets the value of the voxel nearest in space, wherever the axes run', async () => {
  const path = await writeImageOf()
  const turned: Grid = {
    shape: [8, 12, 1],
    spacing: [2, 1, 1],
    origin: [11, 6, 14],
    direction: [0, -1, 0, 0, 0, 1, -1, 0, 0] as Mat3,
  }
  for (const grid of [image, createGrid([5, 4, 3], [2.2, 3.1, 4]), turned]) {
    const { values, share } = await sampleImage(path, grid)
    expect(share).toBe(1)
    eachVoxel(grid, (at, [x, y, z]) => {
      expect(values[at]).toBe(0.5 * (1000 * Math.round(x) + 100 * Math.round(y / 1.5) + Math.round(z / 2)) + 3)
    })
  }
})

test('what lies outside the image is no number, and says how much it is', async () => {
  const path = await writeImageOf()
  const grid = { ...createGrid([4, 1, 1]), origin: [10, 0, 0] as const }
  const { values, share } = await sampleImage(path, grid)
  expect(share).toBe(0.5)
  expect([...values]).toEqual([5003, 5503, Number.NaN, Number.NaN])
  expect((await sampleImage(path, { ...grid, origin: [100, 0, 0] })).share).toBe(0)
})
