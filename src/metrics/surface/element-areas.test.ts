import { expect, test } from 'vitest'
import { type Vec3, vec3 } from '../../volume/grid.ts'
import { elementAreas } from './element-areas.ts'

const spacing: Vec3 = [0.7, 1.3, 2.9]

test('the table of google-deepmind/surface-distance', () => {
  const areas = elementAreas(spacing)
  // create_table_neighbour_code_to_surface_area((0.7, 1.3, 2.9)), December 2024, with its codes in our order of bits:
  // one code of each kind, and sums over all.
  const expected = {
    ...{ 0: 0, 1: 0.547178844, 3: 1.112317401, 5: 1.939136406, 6: 1.094357688, 7: 2.096536532, 15: 0.91 },
    ...{ 17: 2.140899344, 19: 2.656536532, 21: 3.526536532, 22: 1.641536532, 23: 3.283073065, 25: 2.688078188 },
    ...{ 26: 2.48631525, 27: 4.228733251, 28: 1.659496245, 29: 3.815323749, 30: 2.643715377, 51: 2.03 },
    ...{ 53: 3.71444228, 54: 3.203715377, 60: 2.224634801, 85: 3.77, 86: 4.073715377, 90: 3.878272811 },
    ...{ 102: 4.281798687, 105: 2.188715377, 255: 0 },
  }
  for (const [code, area] of Object.entries(expected)) expect(areas[Number(code)]).toBeCloseTo(area, 8)
  expect(areas.reduce((sum, area) => sum + area, 0)).toBeCloseTo(591.6622968920764, 9)
  expect(areas.reduce((sum, area, code) => sum + area * (code + 1), 0)).toBeCloseTo(76028.60515063172, 7)
})

test('inside and outside have one surface, and it turns with the voxels', () => {
  const areas = elementAreas(spacing)
  const turned = elementAreas([spacing[1], spacing[2], spacing[0]])
  for (let code = 0; code < 256; code++) {
    expect(areas[255 - code]).toBeCloseTo(areas[code], 12)
    let [mirrored, rotated] = [0, 0]
    for (let corner = 0; corner < 8; corner++) {
      if (((code >> corner) & 1) === 0) continue
      mirrored |= 1 << (corner ^ 1)
      // Axis i becomes the last one.
      rotated |= 1 << ((corner >> 1) | ((corner & 1) << 2))
    }
    expect(areas[mirrored]).toBeCloseTo(areas[code], 12)
    expect(turned[rotated]).toBeCloseTo(areas[code], 12)
  }
})

test('surfaces known by hand: a plane, a slanted plane, a cut-off corner', () => {
  const areas = elementAreas([2, 3, 5])
  expect(areas[0b01010101]).toBeCloseTo(15, 12)
  expect(areas[0b00010001]).toBeCloseTo(Math.hypot(1, 1.5) * 5, 12)
  const [a, b, c] = [1, 1.5, 2.5]
  expect(areas[0b10000000]).toBeCloseTo(Math.hypot(a * b, b * c, c * a) / 2, 12)
  expect(vec3((axis) => elementAreas([1, 1, 1])[1 << axis])).toEqual(
    [1, 1, 1].map(() => expect.closeTo(Math.sqrt(3) / 8)),
  )
})
