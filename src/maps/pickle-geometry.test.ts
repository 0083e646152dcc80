import { describe, expect, test } from 'vitest'
import type { PickledValue } from '../formats/pickle.ts'
import { InputError } from '../volume/errors.ts'
import { worldPosition } from '../volume/grid.ts'
import { geometryOfProperties, gridOfBareSpacing } from './pickle-geometry.ts'

const map = (entries: Record<string, PickledValue>): ReadonlyMap<string, PickledValue> =>
  new Map(Object.entries(entries))
const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1]
const sitk = (more: Record<string, PickledValue> = {}) =>
  map({ sitk_stuff: map({ spacing: [1, 2, 3], origin: [10, 20, 30], direction: identity, ...more }) })
const version1 = (more: Record<string, PickledValue> = {}) =>
  map({
    itk_spacing: [1, 2, 3],
    itk_origin: [10, 20, 30],
    itk_direction: identity,
    original_size_of_raw_data: [7, 9, 8],
    // z, y, x: an array of 4 × 5 × 6
    crop_bbox: [
      [1, 5],
      [2, 7],
      [1, 7],
    ],
    ...more,
  })
const rows = [
  [0, 0, -1.5, 40],
  [-1.25, 0, 0, 50],
  [0, 2, 0, -60],
  [0, 0, 0, 1],
]
const read = (properties: PickledValue) => geometryOfProperties(properties, [4, 5, 6], 'x.pkl')

test('LPS becomes RAS, spacing is x first', () => {
  const geometry = read(sitk({ direction: [0, 1, 0, 1, 0, 0, 0, 0, 1] }))
  expect(geometry?.grid).toEqual({
    shape: [6, 5, 4],
    spacing: [1, 2, 3],
    origin: [-10, -20, 30],
    direction: [0, -1, 0, -1, 0, 0, 0, 0, 1],
  })
  expect(geometry?.placement).toEqual({ shape: [6, 5, 4], strides: [1, 6, 30], offset: 0 })
})

test('2-D', () => {
  const stuff = map({ spacing: [0.5, 0.25], origin: [1, 2], direction: [1, 0, 0, 1] })
  const geometry = geometryOfProperties(map({ sitk_stuff: stuff }), [1, 8, 9], 'x.pkl')
  expect(geometry?.grid).toMatchObject({ shape: [9, 8, 1], spacing: [0.5, 0.25, 1], origin: [-1, -2, 0] })
})

test('SimpleITKIOWithReorient: the grid is that of the image, not of the RAS copy', () => {
  // LPS (−1, −1, 1) in ITK's world is RAS; the image's first voxel lies at the far end of x and y.
  const geometry = read(sitk({ direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1], original_orientation: 'PLS' }))
  expect(geometry?.grid).toEqual({
    shape: [5, 6, 4],
    spacing: [2, 1, 3],
    origin: [-10 + 5 * 1, -20 + 4 * 2, 30],
    direction: [0, -1, 0, -1, 0, 0, 0, 0, 1],
  })
  expect(geometry?.placement).toEqual({ shape: [6, 5, 4], strides: [-5, -1, 30], offset: 29 })
  expect(geometry?.unturned?.shape).toEqual([6, 5, 4])
})

test('NibabelIO, and NibabelIOWithReorient', () => {
  const plain = read(map({ nibabel_stuff: map({ original_affine: rows }) }))
  expect(plain?.grid.spacing).toEqual([1.25, 2, 1.5])
  // The image has 5 × 4 × 6 voxels; in RAS order its axes are k backwards, i backwards, j.
  const reoriented = [
    [1.5, 0, 0, 40 - 1.5 * 5],
    [0, 1.25, 0, 50 - 1.25 * 4],
    [0, 0, 2, -60],
    [0, 0, 0, 1],
  ]
  const turned = read(map({ nibabel_stuff: map({ original_affine: rows, reoriented_affine: reoriented }) }))
  expect(turned?.grid.shape).toEqual([5, 4, 6])
  expect(turned && worldPosition(turned.grid, [0, 0, 0])).toEqual([40, 50, -60])
  const moved = reoriented.map((row, n) => (n === 0 ? [...row.slice(0, 3), 33] : row))
  const other = map({ nibabel_stuff: map({ original_affine: rows, reoriented_affine: moved }) })
  expect(() => read(other)).toThrow(/do not belong together.*--like/)
})

test('nnU-Net v1: a crop, or the whole image', () => {
  const crop = read(version1({ regions_class_order: [1, 2, 3] }))
  expect(crop?.grid.shape).toEqual([8, 9, 7])
  expect(crop?.placement).toEqual({ shape: [6, 5, 4], strides: [1, 8, 72], offset: (1 * 9 + 2) * 8 + 1 })
  expect(crop?.regionsClassOrder).toEqual([1, 2, 3])
  const whole = read(version1({ crop_bbox: null, original_size_of_raw_data: [4, 5, 6] }))
  expect(whole?.placement).toEqual({ shape: [6, 5, 4], strides: [1, 6, 30], offset: 0 })
})

test.each<[string, PickledValue]>([
  ['no dictionary', [1]],
  ['an array of probabilities', [[[0.5]]]],
  ['nothing known', map({ spacing: [1, 1, 1] })],
])('%s holds no geometry', (_, properties) => {
  expect(read(properties)).toBeUndefined()
})

describe('refused, with --like as the remedy', () => {
  const bad = Number.NaN
  test.each<[string, PickledValue]>([
    ['a spacing of 0', sitk({ spacing: [1, 0, 1] })],
    ['a negative spacing', sitk({ spacing: [1, -1, 1] })],
    ['an infinite spacing', sitk({ spacing: [1, Number.POSITIVE_INFINITY, 1] })],
    ['a spacing that is NaN', sitk({ spacing: [1, bad, 1] })],
    ['an origin that is NaN', sitk({ origin: [1, bad, 1] })],
    ['an infinite origin', sitk({ origin: [1, Number.NEGATIVE_INFINITY, 1] })],
    ['directions of 0', sitk({ direction: [0, 0, 0, 0, 0, 0, 0, 0, 0] })],
    ['a direction that is NaN', sitk({ direction: [bad, 0, 0, 0, 1, 0, 0, 0, 1] })],
    ['two equal directions', sitk({ direction: [1, 1, 0, 0, 0, 0, 0, 0, 1] })],
    ['a short direction', sitk({ direction: [1, 0, 0, 1] })],
    ['no origin', map({ sitk_stuff: map({ spacing: [1, 1, 1], direction: identity }) })],
    ['an orientation of two axes', sitk({ original_orientation: 'LP' })],
    ['an orientation that is a number', sitk({ original_orientation: 3 })],
    ['no affine', map({ nibabel_stuff: map({}) })],
    ['a singular affine', map({ nibabel_stuff: map({ original_affine: [rows[0], rows[0], rows[2], rows[3]] }) })],
    ['an affine with NaN', map({ nibabel_stuff: map({ original_affine: [[bad, 0, 0, 0], ...rows.slice(1)] }) })],
    ['an affine of zeros', map({ nibabel_stuff: map({ original_affine: [1, 2, 3, 4].map(() => [0, 0, 0, 0]) }) })],
    ['an affine of three rows', map({ nibabel_stuff: map({ original_affine: rows.slice(0, 3) }) })],
    ['v1: NaN in the origin', version1({ itk_origin: [bad, 0, 0] })],
    [
      'v1: a box of two axes',
      version1({
        crop_bbox: [
          [1, 5],
          [2, 7],
        ],
      }),
    ],
    ['v1: a box without axes', version1({ crop_bbox: [] })],
    ['v1: a box that is a number', version1({ crop_bbox: 3 })],
    [
      'v1: a fractional start',
      version1({
        crop_bbox: [
          [1.5, 5.5],
          [2, 7],
          [1, 7],
        ],
      }),
    ],
    [
      'v1: a negative start',
      version1({
        crop_bbox: [
          [-1, 3],
          [2, 7],
          [1, 7],
        ],
      }),
    ],
    [
      'v1: a box longer than the array',
      version1({
        crop_bbox: [
          [1, 6],
          [2, 7],
          [1, 7],
        ],
      }),
    ],
    [
      'v1: a box shorter than the array',
      version1({
        crop_bbox: [
          [1, 5],
          [2, 7],
          [1, 6],
        ],
      }),
    ],
    [
      'v1: a box beyond the image',
      version1({
        crop_bbox: [
          [4, 8],
          [2, 7],
          [1, 7],
        ],
      }),
    ],
    ['v1: a fractional size', version1({ original_size_of_raw_data: [7.5, 9, 8] })],
    ['v1: a size of two axes', version1({ original_size_of_raw_data: [7, 9] })],
    ['v1: no size', version1({ original_size_of_raw_data: null })],
    ['v1: no box for an array that is smaller', version1({ crop_bbox: null })],
    ['another shape', map({ ...Object.fromEntries(sitk()), shape_before_cropping: [4, 5, 7] })],
  ])('%s', (_, properties) => {
    expect(() => read(properties)).toThrow(InputError)
    expect(() => read(properties)).toThrow('--like')
  })
})

test('a bare voxel size, z first; the 999 that nnU-Net gives to the third axis of 2-D images is none', () => {
  const grid = gridOfBareSpacing(map({ spacing: [3, 2, 1] }), [4, 5, 6], 'x.pkl')
  expect(grid).toMatchObject({ shape: [6, 5, 4], spacing: [1, 2, 3], origin: [0, 0, 0] })
  expect(gridOfBareSpacing(map({ spacing: [999, 1, 1] }), [1, 5, 6], 'x.pkl')?.spacing).toEqual([1, 1, 1])
  expect(gridOfBareSpacing(map({}), [4, 5, 6], 'x.pkl')).toBeUndefined()
  expect(() => gridOfBareSpacing(map({ spacing: [3, 0, 1] }), [4, 5, 6], 'x.pkl')).toThrow(InputError)
})

test('nnU-Net v1 without a crop: the array is the whole image, whose size need not be told', () => {
  const bare = read(version1({ crop_bbox: null, original_size_of_raw_data: null }))
  expect(bare?.grid.shape).toEqual([6, 5, 4])
  expect(bare?.placement).toEqual({ shape: [6, 5, 4], strides: [1, 6, 30], offset: 0 })
  expect(read(version1({ crop_bbox: null, original_size_of_raw_data: [4, 5, 6] }))?.grid.shape).toEqual([6, 5, 4])
  expect(() => read(version1({ crop_bbox: null }))).toThrow(/places an array of 4×5×6 \(z, y, x\) of 7×9×8/)
  expect(() => read(version1({ original_size_of_raw_data: null }))).toThrow(/has the original size undefined/)
})

test('an order of regions that is no list of numbers is none', () => {
  expect(read(version1({ regions_class_order: [2, 1] }))?.regionsClassOrder).toEqual([2, 1])
  for (const order of [null, 3, ['a'], [1, 'a'], [[1], 2]]) {
    expect(read(version1({ regions_class_order: order }))?.regionsClassOrder).toBeUndefined()
  }
})
