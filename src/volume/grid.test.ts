import { describe, expect, test } from 'vitest'
import { createGrid, gridDifference, gridFault, gridOfAffine, type Mat3, voxelAt, worldPosition } from './grid.ts'

describe('gridDifference', () => {
  const grid = createGrid([10, 20, 30], [1, 2, 3])
  test('accepts float32 round-off and names what differs', () => {
    expect(gridDifference(grid, { ...grid, origin: [0.001, 0, 0] })).toBeUndefined()
    expect(gridDifference(grid, { ...grid, origin: [0.5, 0, 0] })).toBe('voxel (0, 0, 0) lies 0.500 mm apart')
    expect(gridDifference(grid, createGrid([10, 20, 31], [1, 2, 3]))).toBe('shape 10×20×30 against 10×20×31')
    expect(gridDifference(grid, { ...grid, spacing: [Number.NaN, 2, 3] })).toContain('NaN')
  })
  test('the tolerance is a share of the smallest spacing, whatever its axis', () => {
    for (const spacing of [
      [0.5, 1, 5],
      [5, 0.5, 1],
      [1, 5, 0.5],
    ] as const) {
      const thick = createGrid([4, 4, 4], spacing)
      expect(gridDifference(thick, { ...thick, origin: [0.0049, 0, 0] })).toBeUndefined()
      expect(gridDifference(thick, { ...thick, origin: [0, 0.0051, 0] })).toContain('mm apart')
    }
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

test('gridFault names what makes a grid impossible', () => {
  const grid = createGrid([2, 3, 4], [1, 2, 3])
  expect(gridFault(grid)).toBeUndefined()
  expect(gridFault({ ...grid, direction: [-1, 0, 0, 0, 0.866, -0.5, 0, 0.5, 0.866] })).toBeUndefined()
  expect(gridFault({ ...grid, shape: [2, 0, 4] })).toBe('shape 2×0×4')
  expect(gridFault({ ...grid, shape: [2, 1.5, 4] })).toBe('shape 2×1.5×4')
  expect(gridFault({ ...grid, shape: [2 ** 20, 2 ** 20, 2 ** 20] })).toMatch(/^shape/)
  for (const mm of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(gridFault({ ...grid, spacing: [1, mm, 1] })).toBe(`spacing 1, ${mm}, 1 mm`)
  }
  expect(gridFault({ ...grid, origin: [0, Number.NaN, 0] })).toBe('origin 0, NaN, 0 mm')
  expect(gridFault({ ...grid, direction: [2, 0, 0, 0, 1, 0, 0, 0, 1] })).toMatch(/^directions 2, /)
  expect(gridFault({ ...grid, direction: [0, 0, 0, 0, 1, 0, 0, 0, 1] })).toMatch(/^directions 0, /)
  expect(gridFault({ ...grid, direction: [Number.NaN, 0, 0, 0, 1, 0, 0, 0, 1] })).toMatch(/^directions NaN, /)
  expect(gridFault({ ...grid, direction: [1, 1, 0, 0, 0, 0, 0, 0, 1] })).toMatch(/onto a plane/)
})

test('gridOfAffine is the inverse of worldPosition, and fills the empty column of an axis of one voxel', () => {
  const affine = [0, -2, 0, 5, 3, 0, 0, 6, 0, 0, 4, 7]
  const grid = gridOfAffine(affine, [2, 2, 2])
  expect(worldPosition(grid, [1, 1, 1])).toEqual([3, 9, 11])
  const flat = gridOfAffine([0, -2, 0, 5, 3, 0, 0, 6, 0, 0, 0, 7], [2, 2, 1])
  expect(flat).toMatchObject({ spacing: [3, 2, 1], direction: [0, -1, 0, 1, 0, 0, 0, 0, 1] })
})

test('voxelAt undoes worldPosition on turned, sheared, anisotropic grids', () => {
  const [c, s] = [Math.cos(0.4), Math.sin(0.4)]
  const directions: readonly Mat3[] = [
    [1, 0, 0, 0, 1, 0, 0, 0, 1],
    [0, 0, -1, 0, -1, 0, -1, 0, 0],
    [c, -s, 0, s, c, 0, 0, 0, 1],
    [1, s, 0, 0, c, s, 0, 0, c],
  ]
  for (const direction of directions) {
    const grid = { ...createGrid([9, 8, 7], [0.7, 2, 5]), origin: [-30, 12, 400] as const, direction }
    for (const voxel of [
      [0, 0, 0],
      [8, 7, 6],
      [2.5, -1, 3],
    ] as const) {
      const back = voxelAt(grid)(worldPosition(grid, voxel))
      for (const axis of [0, 1, 2]) expect(back[axis]).toBeCloseTo(voxel[axis], 9)
    }
  }
})
