import type { Vec3 } from '../../volume/grid.ts'
import { type BitGrid, countBits, lowestOne } from './bit-grid.ts'
import { distanceTransform } from './distance-transform.ts'

/**
 * The Euclidean distance, in mm, from each query to the nearest feature, in memory order of the queries. There must be
 * a feature.
 *
 * Surfaces that are compared mostly lie near each other: a search of the rows around each query is done long before a
 * distance transform of the box would be. Where they lie far apart the search is given up for the transform.
 */
export function nearestDistances(queries: BitGrid, features: BitGrid, spacing: Vec3): Float64Array {
  const [nx, ny, nz] = features.shape
  // The transform takes as long as looking at so many rows, measured.
  return searchNearest(queries, features, spacing, nx * ny * nz) ?? distanceTransform(queries, features, spacing)
}

/**
 * The same by searching rows, or undefined once it is clear that more than `budget` of them would have to be looked at:
 * when the queries so far have taken more than their share and a tenth.
 */
export function searchNearest(
  queries: BitGrid,
  { shape, words, bits }: BitGrid,
  spacing: Vec3,
  budget: number,
): Float64Array | undefined {
  const [, ny, nz] = shape
  const [xx, yy, zz] = spacing.map((mm) => mm * mm)
  const distances = new Float64Array(countBits(queries))
  let count = 0
  let rows = 0
  let [i0, j0, k0, distance] = [0, 0, 0, Number.POSITIVE_INFINITY]
  for (let k = 0, n = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let w = 0; w < words; w++, n++) {
        for (let left = queries.bits[n]; left !== 0; left &= left - 1) {
          const i = 32 * w + lowestOne(left)
          if ((bits[n] & left & -left) !== 0) {
            // It is a feature itself, as most are where two masks agree.
            distance = 0
            distances[count++] = 0
            ;[i0, j0, k0] = [i, j, k]
            continue
          }
          // No query lies farther off than the one before it and the way from there; a little more, for rounding.
          const reach = distance + Math.sqrt((i - i0) ** 2 * xx + (j - j0) ** 2 * yy + (k - k0) ** 2 * zz)
          let best = reach * reach * (1 + 1e-9)
          // Slices and their rows, outwards from the query's: first those behind it, then those before.
          for (let dk = 0; dk * dk * zz < best && (dk <= k || k + dk < nz); dk++) {
            for (let side = dk === 0 ? 1 : 0; side < 2; side++) {
              const slice = side === 0 ? k + dk : k - dk
              if (slice < 0 || slice >= nz) continue
              for (let dj = 0; dj <= j || j + dj < ny; dj++) {
                const apart = dk * dk * zz + dj * dj * yy
                if (apart >= best) break
                rows += 2
                if (j + dj < ny) best = nearestInRow(bits, (slice * ny + j + dj) * words, words, i, xx, apart, best)
                if (dj <= j) best = nearestInRow(bits, (slice * ny + j - dj) * words, words, i, xx, apart, best)
              }
            }
          }
          if (rows > budget * (0.1 + count / distances.length)) return undefined
          distance = Math.sqrt(best)
          distances[count++] = distance
          ;[i0, j0, k0] = [i, j, k]
        }
      }
    }
  }
  return distances
}

/**
 * The smaller of `best` and the squared distance from place i to the nearest feature of a row, which lies `apart` mm²
 * from it.
 */
function nearestInRow(
  bits: Int32Array,
  row: number,
  words: number,
  i: number,
  xx: number,
  apart: number,
  best: number,
): number {
  let least = best
  const bit = i & 31
  // To the right from bit i, then to the left: a word without features is 32 steps.
  let ones = (bits[row + (i >> 5)] >>> bit) << bit
  for (let w = i >> 5, steps = -bit; ; ones = bits[row + w]) {
    if (ones !== 0) {
      const di = steps + lowestOne(ones)
      least = Math.min(least, apart + di * di * xx)
      break
    }
    steps += 32
    if (++w === words || apart + steps * steps * xx >= least) break
  }
  ones = (bits[row + (i >> 5)] << (31 - bit)) >>> (31 - bit)
  for (let w = i >> 5, steps = bit - 31; ; ones = bits[row + w]) {
    if (ones !== 0) {
      const di = steps + Math.clz32(ones)
      return Math.min(least, apart + di * di * xx)
    }
    steps += 32
    if (--w < 0 || apart + steps * steps * xx >= least) return least
  }
}
