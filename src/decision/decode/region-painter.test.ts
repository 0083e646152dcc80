import { expect, test } from 'vitest'
import { orderContradiction, RegionPainter } from './region-painter.ts'

test('orders that contradict their regions', () => {
  const nested = [[1, 2, 3], [2, 3], [3]]
  expect(orderContradiction(nested, [1, 2, 3])).toBeUndefined()
  expect(orderContradiction([[1], [2]], [1, 2])).toBeUndefined()
  expect(orderContradiction(nested, [3, 2, 1])).toMatch(/label 3 of region 1 is painted over by region 2/)
  expect(
    orderContradiction(
      [
        [2, 3],
        [1, 2, 3],
      ],
      [2, 1],
    ),
  ).toMatch(/label 2 of region 1 is painted over by region 2/)
  expect(orderContradiction(nested, [1, 2, 4])).toMatch(/region 3 paints label 4, which it does not hold/)
})

test('later regions are painted over earlier ones, as in nnU-Net', () => {
  const maps = [
    [0.9, 0.9, 0.9, 0.1],
    [0.8, 0.8, 0.2, 0.1],
    [0.7, 0.1, 0.6, 0.1],
  ].map((p) => Float32Array.from(p))
  for (const paint of [
    [1, 2, 3],
    [3, 2, 1],
    [300, 2, 1],
  ]) {
    // nnU-Net: for i, c in enumerate(regions_class_order): segmentation[probabilities[i] > 0.5] = c
    const expected = [0, 0, 0, 0]
    for (const [i, label] of paint.entries()) {
      for (let n = 0; n < 4; n++) if (maps[i][n] > 0.5) expected[n] = label
    }
    const painter = new RegionPainter(4, paint)
    for (const [i, map] of maps.entries()) painter.add(i, map, { threshold: 0.5, weight: 1 })
    expect([...painter.finish()]).toEqual(expected)
  }
  const absent = new RegionPainter(4, [1, 2, 3])
  for (const [i, map] of maps.entries()) absent.add(i, map, i === 2 ? undefined : { threshold: 0.5, weight: 1 })
  expect([...absent.finish()]).toEqual([2, 2, 1, 0])
})
