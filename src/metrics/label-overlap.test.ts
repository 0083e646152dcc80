import fc from 'fast-check'
import { expect, test } from 'vitest'
import { labelOverlaps } from './label-overlap.ts'

test('counts every label in both maps, as counting one label at a time does', () => {
  const maps = fc.integer({ min: 0, max: 60 }).chain((n) => {
    const map = fc.array(fc.constantFrom(-3, 0, 1, 2, 70000), { minLength: n, maxLength: n })
    return fc.tuple(map, map)
  })
  fc.assert(
    fc.property(maps, fc.nat(60), fc.nat(60), ([wholeA, wholeB], from, to) => {
      const [a, b] = [wholeA.slice(from, to), wholeB.slice(from, to)]
      const [arrayA, arrayB] = [Int32Array.from(wholeA), Int32Array.from(wholeB)]
      const overlaps = labelOverlaps(arrayA, arrayB, [-3, 1, 2, 70000, 5], from, Math.min(to, arrayA.length))
      expect([...overlaps.keys()]).toEqual([-3, 1, 2, 70000, 5])
      for (const [label, overlap] of overlaps) {
        expect(overlap).toEqual({
          voxelsA: a.filter((x) => x === label).length,
          voxelsB: b.filter((x) => x === label).length,
          voxelsBoth: a.filter((x, i) => x === label && b[i] === label).length,
        })
      }
    }),
  )
})
