import { describe, expect, test } from 'vitest'
import { createGrid, gridDifference, worldPosition } from './grid.ts'

describe('gridDifference', () => {
  const grid = createGrid([10, 20, 30], [1, 2, 3])
  test('accepts float32 round-off and names what differs', () => {
    expect(gridDifference(grid, { ...grid, origin: [0.001, 0, 0] })).toBeUndefined()
    expect(gridDifference(grid, { ...grid, origin: [0.5, 0, 0] })).toBe('voxel (0, 0, 0) lies 0.500 mm apart')
    expect(gridDifference(grid, createGrid([10, 20, 31], [1, 2, 3]))).toBe('shape 10×20×30 against 10×20×31')
    expect(gridDifference(grid, { ...grid, spacing: [Number.NaN, 2, 3] })).toContain('NaN')
  })
  test('a flipped axis is another grid even though its origin is the same', () => {
    expect(gridDifference(grid, { ...grid, direction: [-1, 0, 0, 0, 1, 0, 0, 0, 1] })).toContain('(9, 0, 0)')
  })
})

test('worldPosition applies spacing, then direction, then origin', () => {
  const grid = {
    ...createGrid([4, 4, 4], [1, 2, 3]),
    origin: [10, 20, 30],
    direction: [0, -1, 0, 1, 0, 0, 0, 0, 1],
  } as const
  expect(worldPosition(grid, [1, 1, 1])).toEqual([8, 21, 33])
})
