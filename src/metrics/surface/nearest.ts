import type { Vec3 } from '../../volume/grid.ts'
import { type BitGrid, countBits, placesOf } from './bit-grid.ts'
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
  // The transform takes about as long as three looks at a row for each voxel of the box: see bench/cohort.mjs.
  return searchNearest(queries, features, spacing, nx * ny * nz) ?? distanceTransform(queries, features, spacing)
}

/** The same by searching rows, or undefined once more than `budget` rows have been looked at. */
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
  let best = Number.POSITIVE_INFINITY

  /** Lowers `best` to the nearest feature of a row, which lies `apart` mm² from the query. */
  const look = (i: number, row: number, apart: number): void => {
    rows++
    const word = i >> 5
    const bit = i & 31
    for (let w = word, steps = -bit, ones = (bits[row + w] >>> bit) << bit; ; ones = bits[row + w]) {
      if (ones !== 0) {
        const di = steps + 31 - Math.clz32(ones & -ones)
        const found = apart + di * di * xx
        if (found < best) best = found
        break
      }
      steps += 32
      if (++w === words || apart + steps * steps * xx >= best) break
    }
    for (let w = word, steps = bit - 31, ones = (bits[row + w] << (31 - bit)) >>> (31 - bit); ; ones = bits[row + w]) {
      if (ones !== 0) {
        const di = steps + Math.clz32(ones)
        const found = apart + di * di * xx
        if (found < best) best = found
        break
      }
      steps += 32
      if (--w < 0 || apart + steps * steps * xx >= best) break
    }
  }
  /** The rows of a slice, outwards from the query's. */
  const lookAtSlice = (i: number, j: number, k: number, apart: number): void => {
    const slice = k * ny
    for (let dj = 0; ; dj++) {
      const apartRow = apart + dj * dj * yy
      if (apartRow >= best) break
      const [below, above] = [j - dj, j + dj]
      if (below < 0 && above >= ny) break
      if (below >= 0) look(i, (slice + below) * words, apartRow)
      if (above < ny && dj > 0) look(i, (slice + above) * words, apartRow)
    }
  }
  let [i0, j0, k0, distance] = [0, 0, 0, Number.POSITIVE_INFINITY]
  placesOf(queries, (i, j, k) => {
    if (rows > budget) return
    // No query lies farther off than the one before it and the way from there; a little more, for rounding.
    const [di, dj, dk] = [i - i0, j - j0, k - k0]
    const reach = distance + Math.sqrt(di * di * xx + dj * dj * yy + dk * dk * zz)
    best = reach * reach * (1 + 1e-9)
    for (let step = 0; step * step * zz < best; step++) {
      if (k - step < 0 && k + step >= nz) break
      if (k - step >= 0) lookAtSlice(i, j, k - step, step * step * zz)
      if (k + step < nz && step > 0) lookAtSlice(i, j, k + step, step * step * zz)
    }
    distance = Math.sqrt(best)
    distances[count++] = distance
    i0 = i
    j0 = j
    k0 = k
  })
  return rows > budget ? undefined : distances
}
