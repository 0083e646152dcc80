import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ringsOf } from './edges.ts'

const mask = (...rows: string[]) => ({
  data: Uint8Array.from(rows.join(''), (c) => Number(c === '#')),
  width: rows[0].length,
  height: rows.length,
})

const rings = ({ data, width, height }: ReturnType<typeof mask>) => ringsOf(data, width, height)

test('a block has one ring of its four corners', () => {
  expect(rings(mask('....', '.##.', '.##.', '....'))).toEqual([[1, 1, 3, 1, 3, 3, 1, 3]])
})

test('a hole has a ring of its own, the other way round', () => {
  expect(rings(mask('###', '#.#', '###'))).toEqual([
    [0, 0, 3, 0, 3, 3, 0, 3],
    [1, 1, 1, 2, 2, 2, 2, 1],
  ])
})

test('pixels that touch at a corner are apart', () => {
  expect(rings(mask('#.', '.#'))).toHaveLength(2)
  expect(rings(mask('.#', '#.'))).toHaveLength(2)
})

test('nothing and everything', () => {
  expect(rings(mask('..', '..'))).toEqual([])
  expect(rings(mask('##', '##'))).toEqual([[0, 0, 2, 0, 2, 2, 0, 2]])
})

/** The area within rings by the shoelace formula: clockwise on a screen is positive. */
function area(all: readonly (readonly number[])[]): number {
  let sum = 0
  for (const ring of all) {
    for (let i = 0; i < ring.length; i += 2) {
      const [x, y, u, v] = [ring[i], ring[i + 1], ring[(i + 2) % ring.length], ring[(i + 3) % ring.length]]
      sum += x * v - u * y
    }
  }
  return sum / 2
}

function lengthOf(all: readonly (readonly number[])[]): number {
  let sum = 0
  for (const ring of all) {
    for (let i = 0; i < ring.length; i += 2) {
      sum += Math.abs(ring[i] - ring[(i + 2) % ring.length]) + Math.abs(ring[i + 1] - ring[(i + 3) % ring.length])
    }
  }
  return sum
}

test('rings hold as much as the set, and are as long as the edges between inside and outside', () => {
  const sets = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })).chain(([width, height]) =>
    fc.record({
      width: fc.constant(width),
      height: fc.constant(height),
      data: fc.uint8Array({ minLength: width * height, maxLength: width * height, max: 1 }),
    }),
  )
  fc.assert(
    fc.property(sets, ({ data, width, height }) => {
      const found = ringsOf(data, width, height)
      const at = (x: number, y: number) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : data[y * width + x])
      let [edges, count] = [0, 0]
      for (let y = -1; y < height; y++) {
        for (let x = -1; x < width; x++) {
          count += at(x, y)
          edges += Number(at(x, y) !== at(x + 1, y)) + Number(at(x, y) !== at(x, y + 1))
        }
      }
      expect(area(found)).toBe(count)
      expect(lengthOf(found)).toBe(edges)
    }),
  )
})
