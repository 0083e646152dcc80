import { expect, test } from 'vitest'
import { createGrid, type Grid, worldPosition } from './grid.ts'
import { latticeMap } from './lattice.ts'

const grid: Grid = {
  shape: [4, 5, 6],
  spacing: [0.5, 1, 2],
  origin: [10, -20, 30],
  direction: [0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1],
}

test('voxels of one grid in another: the same, a part, axes turned and exchanged', () => {
  expect(latticeMap(grid, grid)).toEqual({ axes: [0, 1, 2], signs: [1, 1, 1], start: [0, 0, 0] })
  const part: Grid = { ...grid, shape: [2, 2, 2], origin: worldPosition(grid, [1, 2, -3]) }
  expect(latticeMap(part, grid)).toEqual({ axes: [0, 1, 2], signs: [1, 1, 1], start: [1, 2, -3] })
  const d = grid.direction
  const turned: Grid = {
    shape: [6, 4, 5],
    spacing: [2, 0.5, 1],
    origin: worldPosition(grid, [3, 0, 5]),
    direction: [-d[2], -d[0], d[1], -d[5], -d[3], d[4], -d[8], -d[6], d[7]],
  }
  expect(latticeMap(turned, grid)).toEqual({ axes: [2, 0, 1], signs: [-1, -1, 1], start: [3, 0, 5] })
})

test('none where voxels do not coincide', () => {
  for (const other of [
    { ...grid, origin: worldPosition(grid, [0.1, 0, 0]) },
    { ...grid, spacing: [0.52, 1, 2] },
    { ...grid, direction: createGrid([1, 1, 1]).direction },
    { ...grid, spacing: [1, 2, 4] },
  ] as Grid[]) {
    expect(latticeMap(other, grid)).toBeUndefined()
    expect(latticeMap(grid, other)).toBeUndefined()
  }
})
