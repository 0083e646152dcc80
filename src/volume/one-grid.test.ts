import { expect, test } from 'vitest'
import { type Grid, gridDifference, type Vec3, worldPosition } from './grid.ts'
import { onGrid, onOneGrid, withRoomFor } from './one-grid.ts'
import type { Volume } from './volume.ts'

const [c, s] = [Math.cos(0.4), Math.sin(0.4)]
/** An oblique grid of 5 × 4 × 6 voxels. */
const whole: Grid = {
  shape: [5, 4, 6],
  spacing: [0.7, 0.9, 2.5],
  origin: [3, 4, 10],
  direction: [c, -s, 0, s, c, 0, 0, 0, 1],
}
const part = (first: Vec3, shape: Vec3): Grid => ({ ...whole, shape, origin: worldPosition(whole, first) })
/** Voxel (i, j, k) of the whole grid holds a number of its own; a second channel holds 0. */
function volume(first: Vec3, shape: Vec3, emptyOutside: boolean): Volume {
  const data = new Uint16Array(2 * shape[0] * shape[1] * shape[2])
  let n = 0
  for (let k = 0; k < shape[2]; k++)
    for (let j = 0; j < shape[1]; j++)
      for (let i = 0; i < shape[0]; i++) data[n++] = 1 + first[0] + i + 10 * (first[1] + j) + 100 * (first[2] + k)
  return { grid: part(first, shape), channels: 2, data, ...(emptyOutside && { emptyOutside }) }
}
const at = ({ grid: { shape }, data }: Volume, [i, j, k]: Vec3) => data[(k * shape[1] + j) * shape[0] + i]

test('a part gets the voxels that it lacks, as background, whichever comes first', () => {
  const all = volume([0, 0, 0], [5, 4, 6], false)
  const some = volume([1, 2, 3], [3, 2, 2], true)
  for (const [wide, other] of [onOneGrid(some, all), [...onOneGrid(all, some)].reverse()]) {
    expect(other).toBe(all)
    expect(gridDifference(wide.grid, whole, 1e-9)).toBeUndefined()
    expect(wide.grid.shape).toEqual(whole.shape)
    expect(at(wide, [1, 2, 3])).toBe(322)
    expect(at(wide, [3, 3, 4])).toBe(434)
    expect(wide.data.filter((value) => value !== 0).length).toBe(12)
    expect(wide.data.length).toBe(240)
  }
})

test('two parts get what either has', () => {
  const [a, b] = onOneGrid(volume([1, 0, 0], [2, 2, 2], true), volume([0, 1, 4], [2, 2, 1], true))
  expect([a.grid.shape, b.grid.shape]).toEqual([
    [3, 3, 5],
    [3, 3, 5],
  ])
  expect([at(a, [1, 0, 0]), at(b, [0, 1, 4]), at(a, [0, 1, 4])]).toEqual([2, 411, 0])
})

test('nothing changes where a whole volume lacks voxels, or they do not coincide', () => {
  const some = volume([1, 2, 3], [3, 2, 2], true)
  const less = volume([2, 2, 3], [3, 2, 3], false)
  const moved = { ...some, grid: { ...some.grid, origin: worldPosition(some.grid, [0.5, 0, 0]) } }
  const coarse = { ...some, grid: { ...some.grid, spacing: [0.7, 0.9, 5] as const } }
  const all = volume([0, 0, 0], [5, 4, 6], false)
  for (const pair of [
    [some, less],
    [moved, all],
    [coarse, all],
    [{ ...some, emptyOutside: false }, all],
  ] as const) {
    const [a, b] = onOneGrid(pair[0], pair[1])
    expect([a === pair[0], b === pair[1]]).toEqual([true, true])
  }
})

test('a volume that is whole, or a grid that it does not fit, is left alone; else it is put on the grid', () => {
  const some = volume([1, 2, 3], [3, 2, 2], true)
  expect(onGrid(some, whole).grid.shape).toEqual([5, 4, 6])
  expect(at(onGrid(some, whole), [2, 3, 4])).toBe(433)
  expect(onGrid(some, part([2, 2, 3], [3, 2, 3]))).toBe(some)
  expect(onGrid(volume([0, 0, 0], [5, 4, 5], false), whole).grid.shape[2]).toBe(5)
})

test('noise finds background slices around a part, and a whole volume as it is', () => {
  const some = volume([1, 2, 3], [3, 2, 2], true)
  const roomy = withRoomFor(1.2, some) // 6 mm are 2.4 slices
  expect(roomy.grid.shape).toEqual([3, 2, 8])
  expect(gridDifference(roomy.grid, part([1, 2, 0], [3, 2, 8]), 1e-9)).toBeUndefined()
  expect(at(roomy, [2, 1, 4])).toBe(at(some, [2, 1, 1]))
  const all = volume([0, 0, 0], [5, 4, 6], false)
  expect(withRoomFor(1.2, all)).toBe(all)
})
