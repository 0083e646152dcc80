import fc from 'fast-check'
import { expect, test } from 'vitest'
import { boxOf, boxOfLabel, boxOfMasks, cropEqual, growBox } from './box.ts'
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

test('boxOfMasks holds both masks, cropEqual takes the part of one label', () => {
  const a = Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  const b = Uint8Array.of(0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0)
  const box = boxOfMasks(a, b, [4, 3, 1])
  expect(box).toEqual({ start: [1, 0, 0], shape: [2, 2, 1] })
  expect(boxOfMasks(new Uint8Array(12), new Uint8Array(12), [4, 3, 1])).toBeUndefined()
  if (box === undefined) return
  expect([...cropEqual(b, [4, 3, 1], box)]).toEqual([0, 0, 0, 1])
  expect([...cropEqual(b, [4, 3, 1], box, 2)]).toEqual([0, 0, 0, 1])
  expect([...cropEqual(b, [4, 3, 1], box, 1)]).toEqual([0, 0, 0, 0])
})
