import fc from 'fast-check'
import { expect, test } from 'vitest'
import { boxOf, boxOfLabel, growBox } from './box.ts'
import { createGrid, type Vec3 } from './grid.ts'

test('boxOf and boxOfLabel are the brute-force bounding box', () => {
  const side = fc.integer({ min: 1, max: 11 })
  fc.assert(
    fc.property(
      fc.tuple(side, side, side),
      fc.array(fc.nat(), { maxLength: 4 }),
      fc.constantFrom(Uint8Array, Int16Array),
      fc.integer({ min: 0, max: 255 }),
      (shape, places, Type, outside) => {
        const values = new Type(shape[0] * shape[1] * shape[2]).fill(outside)
        for (const p of places) values[p % values.length] = (outside + 1) % 256
        const xyz = [...values.keys()]
          .filter((i) => values[i] !== outside)
          .map((i) => [i % shape[0], Math.floor(i / shape[0]) % shape[1], Math.floor(i / shape[0] / shape[1])])
        const start = [0, 1, 2].map((a) => Math.min(...xyz.map((v) => v[a])))
        const expected = xyz.length
          ? { start, shape: [0, 1, 2].map((a) => Math.max(...xyz.map((v) => v[a])) - start[a] + 1) }
          : undefined
        expect(boxOf(values, shape as Vec3, outside)).toEqual(expected)
        expect(boxOfLabel(values, shape as Vec3, (outside + 1) % 256)).toEqual(expected)
        const rest = xyz.length === values.length ? undefined : expect.anything()
        expect(boxOfLabel(values, shape as Vec3, outside)).toEqual(rest)
      },
    ),
  )
})

test('growBox stops at the grid', () => {
  const grid = createGrid([10, 10, 1])
  expect(growBox({ start: [1, 4, 0], shape: [2, 2, 1] }, [3, 3, 3], grid)).toEqual({
    start: [0, 1, 0],
    shape: [6, 8, 1],
  })
})
