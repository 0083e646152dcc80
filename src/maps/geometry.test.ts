import { expect, test } from 'vitest'
import { createGrid, type Grid, type Vec3 } from '../volume/grid.ts'
import { type Placement, placedAt } from './case-maps.ts'
import { type FoundGeometry, onImage } from './geometry.ts'
import { mapArrayOf } from './map-array.ts'

const array = (...shape: [z: number, y: number, x: number]) =>
  mapArrayOf({ shape, data: new Float32Array(shape[0] * shape[1] * shape[2]) }, 'a.npz')
const moved = (shape: Vec3, x: number): Grid => ({ ...createGrid(shape), origin: [x, 0, 0] })
const found = (
  grid: Grid,
  more: Partial<FoundGeometry> = {},
  placement: Placement = placedAt(grid),
): FoundGeometry => ({
  placed: { grid, placement, hasGeometry: true, warnings: [], regionsClassOrder: [2, 1] },
  from: 'a.pkl',
  located: true,
  ...more,
})
const on = (image: Grid, own?: FoundGeometry, shape: [number, number, number] = [4, 3, 2]) =>
  onImage(array(...shape), { grid: image }, 'like.nii.gz', own)

test('the image that an array was cropped from, or another of its extents: the crop keeps its place', () => {
  const grid = createGrid([8, 8, 8])
  const placement = placedAt(grid, [2, 3, 4], [1, 2, 3])
  const crop = found(grid, {}, placement)
  expect(on(grid, crop)).toMatchObject({ placement, regionsClassOrder: [2, 1], warnings: [] })
  const elsewhere = on(moved([8, 8, 8], 5), crop)
  expect(elsewhere).toMatchObject({ placement, regionsClassOrder: [2, 1], grid: { origin: [5, 0, 0] } })
  expect(elsewhere.warnings).toEqual([
    expect.stringMatching(/^like\.nii\.gz lies elsewhere than a\.pkl says \(.*\); the mask gets the grid of like\.nii/),
  ])
  expect(() => on(createGrid([9, 8, 8]), crop)).toThrow(
    /^a\.npz: has maps of 4×3×2 \(z, y, x\), like\.nii\.gz has 8×8×9/,
  )
})

test("an image in the order of the array's own axes: they run as they are", () => {
  const image = createGrid([3, 2, 4])
  const unturned = createGrid([2, 3, 4])
  const back = found(image, { unturned }, { shape: [2, 3, 4], strides: [3, 1, 6], offset: 0 })
  expect(on(image, back).placement.strides).toEqual([3, 1, 6])
  const straight = on(unturned, back)
  expect(straight).toMatchObject({ placement: placedAt(unturned), regionsClassOrder: [2, 1], warnings: [] })
  // An image of the array's extents that is neither: as the array lies, and told.
  expect(on(moved([2, 3, 4], 7), back)).toMatchObject({
    placement: placedAt(unturned),
    warnings: [expect.stringMatching(/lies elsewhere/)],
  })
})

test('an array whose properties say nothing of its place lies as the image does, if it fits', () => {
  expect(on(moved([2, 3, 4], 7), found(createGrid([2, 3, 4]), { located: false })).warnings).toEqual([])
  expect(() => on(createGrid([4, 3, 2]))).toThrow(/save the array with its axes reversed \(numpy: a\.T\)$/)
  expect(() => on(createGrid([4, 4, 4]))).toThrow(/give the image it belongs to: --like IMAGE$/)
})
