import { expect, test } from 'vitest'
import { createGrid, type Grid, type Mat3, worldPosition } from '../../volume/grid.ts'
import { greyLayer, sliceThrough, sliceValues, whereText } from './flat-slice.ts'
import { planePixels } from './plane.ts'

test('a slice on its own shows what the whole image shows there', () => {
  const turns: readonly Mat3[] = [
    [1, 0, 0, 0, 1, 0, 0, 0, 1],
    [0, 0, -1, 0, -1, 0, -1, 0, 0],
    [0, 1, 0, 0, 0, 1, 1, 0, 0],
  ]
  for (const direction of turns) {
    // The thick axis is another one each time, so that each is the one that is cut across.
    for (const spacing of [
      [4, 1, 1],
      [1, 4, 1],
      [1, 1, 4],
    ] as const) {
      const grid: Grid = { ...createGrid([5, 6, 7], spacing), origin: [3, -2, 9], direction }
      const marked = 2 + 5 * (3 + 6 * 4)
      const slice = sliceThrough(grid, (at) => at === marked)
      const thick = spacing.indexOf(4)
      expect(slice.index).toBe([2, 3, 4][thick])
      expect(slice.count).toBe(grid.shape[thick])
      const values = sliceValues(
        slice,
        grid.shape,
        (at) => at,
        new Float32Array(slice.grid.shape.reduce((a, b) => a * b)),
      )
      const whole = planePixels(grid, { ...slice.plane, index: slice.index }, (at) => at)
      expect(planePixels(slice.grid, slice.plane, (at) => values[at])).toEqual(whole)
      const first = [0, 1, 2].map((axis) => (axis === thick ? slice.index : 0)) as unknown as [number, number, number]
      expect(slice.grid.origin).toEqual(worldPosition(grid, first))
    }
  }
})

test('the first question with a voxel chooses the slice', () => {
  const grid = createGrid([2, 2, 5])
  const slice = sliceThrough(
    grid,
    () => false,
    (at) => at >= 12 && at < 15,
    () => true,
  )
  expect(slice.index).toBe(3)
  expect(whereText(slice, true)).toBe('axial slice 4 of 5')
  expect(whereText(slice, false)).toBe('slice 4 of 5')
  // Nothing anywhere: the middle.
  expect(sliceThrough(grid, () => false).index).toBe(2)
})

test('grey levels leave out the extremes of what is shown, and what is no number', () => {
  const values = Float32Array.from({ length: 101 }, (_, i) => (i === 100 ? Number.NaN : i))
  expect(greyLayer(values)).toMatchObject({ kind: 'grey', window: [2, 97] })
  expect(greyLayer(values, [10, 20])).toMatchObject({ window: [10, 20] })
  expect(greyLayer(new Float32Array(4))).toMatchObject({ window: [0, 1] })
  expect(greyLayer(new Float32Array(2).fill(Number.NaN))).toMatchObject({ window: [0, 1] })
})
