import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Vec3, vec3 } from '../../volume/grid.ts'
import { randomStream } from '../../volume/random.ts'
import { type BitGrid, bitsOf, countBits, onesOf, placesOf } from './bit-grid.ts'
import { distanceTransform } from './distance-transform.ts'
import { nearestDistances, searchNearest } from './nearest.ts'

const gridOf = (shape: Vec3, inside: (v: number) => boolean): BitGrid => {
  const mask = Uint8Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, v) => Number(inside(v)))
  return bitsOf(mask, shape, { start: [0, 0, 0], shape })
}

const listed = (grid: BitGrid): number[][] => {
  const places: number[][] = []
  placesOf(grid, (...place) => places.push(place))
  return places
}

/** Long rows, so that features lie in other words than the query. */
const scene = fc
  .record({
    shape: fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    spacing: fc.tuple(...[1, 2, 3].map(() => fc.double({ min: 0.2, max: 6, noNaN: true }))),
    densities: fc.tuple(...[1, 2].map(() => fc.constantFrom(0.003, 0.02, 0.1))),
    seed: fc.nat(),
  })
  .map(({ shape: sides, spacing: mm, densities, seed }) => {
    const shape = vec3((axis) => sides[axis])
    const random = randomStream(seed)
    const last = shape[0] * shape[1] * shape[2] - 1
    const sure = random.integer(last + 1)
    const queries = gridOf(shape, () => random.uniform() < densities[0])
    const features = gridOf(shape, (v) => v === sure || random.uniform() < densities[1])
    return { spacing: vec3((axis) => mm[axis]), queries, features }
  })

test('search and transform find the nearest of all features', () => {
  fc.assert(
    fc.property(scene, ({ queries, features, spacing }) => {
      const all = listed(features)
      const expected = listed(queries).map((q) =>
        Math.min(...all.map((f) => Math.hypot(...f.map((x, axis) => (x - q[axis]) * spacing[axis])))),
      )
      for (const found of [
        searchNearest(queries, features, spacing, Number.POSITIVE_INFINITY) ?? [],
        distanceTransform(queries, features, spacing),
        nearestDistances(queries, features, spacing),
      ]) {
        expect(found.length).toBe(expected.length)
        expect(Math.max(0, ...expected.map((mm, n) => Math.abs(mm - found[n])))).toBeLessThan(1e-10)
      }
    }),
    { numRuns: 150 },
  )
})

test('a search that looks at too many rows is given up, and the transform takes over', () => {
  const shape: Vec3 = [1, 40, 40]
  const queries = gridOf(shape, (v) => v % 40 < 20)
  const features = gridOf(shape, (v) => v === 1599)
  expect(searchNearest(queries, features, [1, 1, 1], 1600)).toBeUndefined()
  const sure = searchNearest(queries, features, [1, 1, 1], 1e9)
  expect(nearestDistances(queries, features, [1, 1, 1])).toEqual(sure)
  expect(sure?.length).toBe(800)
})

test('bits of a box are those of the label, in memory order', () => {
  const image = Int16Array.from({ length: 70 * 3 * 2 }, (_, v) => (v * v) % 5)
  const box = { start: [2, 1, 0], shape: [66, 2, 2] } as const
  for (const label of [undefined, 0, 4]) {
    const expected: number[][] = []
    for (let k = 0; k < 2; k++) {
      for (let j = 0; j < 2; j++) {
        for (let i = 0; i < 66; i++) {
          const value = image[i + 2 + 70 * (j + 1 + 3 * k)]
          if (label === undefined ? value !== 0 : value === label) expected.push([i, j, k])
        }
      }
    }
    const bits = bitsOf(image, [70, 3, 2], box, label)
    expect(listed(bits)).toEqual(expected)
    expect(countBits(bits)).toBe(expected.length)
  }
  for (const [word, ones] of [
    [0, 0],
    [-1, 32],
    [1 << 31, 1],
    [0x12345678, 13],
  ]) {
    expect(onesOf(word)).toBe(ones)
  }
})
