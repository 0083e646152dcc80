import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearestSeeds } from './nearest-seed.ts'

type Vec3 = readonly [number, number, number]

test('no other seed is nearer, whatever shape and spacing', () => {
  const side = fc.integer({ min: 1, max: 8 })
  const mm = fc.double({ min: 0.3, max: 4, noNaN: true })
  fc.assert(
    fc.property(
      fc.tuple(side, side, side),
      fc.tuple(mm, mm, mm),
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      fc.integer({ min: 1, max: 9 }),
      (shape: Vec3, spacing: Vec3, salt, rarity) => {
        const [nx, ny] = shape
        const n = shape[0] * shape[1] * shape[2]
        const seeds = Uint8Array.from({ length: n }, (_, i) => Number((Math.imul(i + 1, salt) >>> 8) % rarity === 0))
        const at = (i: number) => [i % nx, Math.floor(i / nx) % ny, Math.floor(i / nx / ny)]
        const distance = (a: number, b: number) =>
          Math.hypot(...at(a).map((v, axis) => (v - at(b)[axis]) * spacing[axis]))
        const nearest = nearestSeeds(seeds, shape, spacing)
        const all = [...seeds.keys()].filter((i) => seeds[i] === 1)
        for (let i = 0; i < n; i++) {
          if (all.length === 0) {
            expect(nearest[i]).toBe(-1)
            continue
          }
          expect(seeds[nearest[i]]).toBe(1)
          const least = Math.min(...all.map((seed) => distance(i, seed)))
          expect(distance(i, nearest[i])).toBeLessThan(least + 1e-9)
        }
      },
    ),
    { numRuns: 100 },
  )
})
