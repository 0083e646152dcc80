import { describe, expect, test } from 'vitest'
import { createGrid, type Grid, type Vec3, voxelCount, worldPosition } from '../volume/grid.ts'
import { type AlongAxis, alongGrid, alongOrientation, turned } from './orientation.ts'

const letters = [
  ['R', 'L'],
  ['A', 'P'],
  ['S', 'I'],
]
const orders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
]
/** All 48 orientations: an order of the world's axes, and a side for each. */
const codes = orders.flatMap((order) =>
  Array.from({ length: 8 }, (_, sides) => order.map((world, n) => letters[world][(sides >> n) & 1]).join('')),
)

/** Oblique by some 20°, with extents and spacing that tell the axes apart. */
const oblique: Grid = {
  shape: [3, 4, 5],
  spacing: [0.7, 1.1, 2.5],
  origin: [-12, 7, 31],
  direction: [0.936, -0.312, 0.163, 0.352, 0.884, -0.309, -0.048, 0.347, 0.937],
}

/** Every voxel of the array must lie where it lay, and none be left out. */
function expectSameWorld(array: Grid, along: readonly [AlongAxis, AlongAxis, AlongAxis]): Grid {
  const { grid, placement } = turned(array, along)
  const [nx, ny] = grid.shape
  const seen = new Set<number>()
  for (let n = 0; n < voxelCount(array); n++) {
    const own: Vec3 = [n % 3, Math.floor(n / 3) % 4, Math.floor(n / 12)]
    const at = own.reduce((sum, i, axis) => sum + i * placement.strides[axis], placement.offset)
    seen.add(at)
    const place = worldPosition(grid, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))])
    for (const [axis, mm] of worldPosition(array, own).entries()) expect(place[axis]).toBeCloseTo(mm, 9)
  }
  expect(seen.size).toBe(voxelCount(array))
  expect(Math.min(...seen)).toBe(0)
  return grid
}

describe.each(codes)('%s', (code) => {
  test('an array in RAS order is turned to it, voxel by voxel', () => {
    const along = alongOrientation(oblique, code)
    if (!along) throw new Error(code)
    const grid = expectSameWorld(oblique, along)
    for (const [axis, letter] of [...code].entries()) {
      const world = letters.findIndex((pair) => pair.includes(letter))
      const cosine = grid.direction[3 * world + axis]
      expect(Math.abs(cosine)).toBeGreaterThan(0.85)
      expect(cosine > 0).toBe('RAS'.includes(letter))
    }
    // And the grid that came out says by itself how it was turned.
    expect(alongGrid(oblique, grid)).toEqual(along)
  })

  test('an array in that order is turned to RAS', () => {
    const back = alongOrientation(oblique, code)
    const original = back && turned(oblique, back).grid
    const along = original && alongOrientation(original, 'RAS')
    if (!along) throw new Error(code)
    const { grid } = turned(original, along)
    expect(grid.shape).toEqual(oblique.shape)
    for (const [n, cosine] of grid.direction.entries()) expect(cosine).toBeCloseTo(oblique.direction[n], 12)
    for (const [axis, mm] of grid.origin.entries()) expect(mm).toBeCloseTo(oblique.origin[axis], 12)
  })
})

test('what is no orientation', () => {
  for (const text of ['', 'RA', 'RAR', 'RAL', 'ras', 'RASX', 'INVALID']) {
    expect(alongOrientation(createGrid([1, 1, 1]), text)).toBeUndefined()
  }
})
