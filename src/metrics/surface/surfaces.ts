import type { Vec3 } from '../../volume/grid.ts'
import { type BitGrid, countBits, emptyBits, placesOf } from './bit-grid.ts'
import { elementAreas } from './element-areas.ts'

/** Points of a surface, and what each of them counts. */
export interface Surface {
  readonly points: BitGrid
  /** In memory order of the points. */
  readonly weights: Float64Array
}

/**
 * The voxels of a mask with a background voxel among their 6 neighbours, each of weight 1. Beyond the box all is
 * background; axes on which the image has one voxel are flat and have no neighbours.
 */
export function voxelSurface(mask: BitGrid, imageShape: Vec3): Surface {
  const { shape, words, bits } = mask
  const points = emptyBits(shape)
  const [flatI, flatJ, flatK] = imageShape.map((n) => n === 1)
  const slice = words * shape[1]
  for (let k = 0, n = 0; k < shape[2]; k++) {
    for (let j = 0; j < shape[1]; j++) {
      for (let w = 0; w < words; w++, n++) {
        const own = bits[n]
        let inner = own
        if (!flatI) {
          const left = w > 0 ? bits[n - 1] : 0
          const right = w + 1 < words ? bits[n + 1] : 0
          inner &= ((own << 1) | (left >>> 31)) & ((own >>> 1) | (right << 31))
        }
        if (!flatJ) inner &= j > 0 && j + 1 < shape[1] ? bits[n - words] & bits[n + words] : 0
        if (!flatK) inner &= k > 0 && k + 1 < shape[2] ? bits[n - slice] & bits[n + slice] : 0
        points.bits[n] = own & ~inner
      }
    }
  }
  return { points, weights: new Float64Array(countBits(points)).fill(1) }
}

/**
 * The surface elements of a mask: the corners between voxels, some inside and some outside, each with the area, in mm²,
 * of the surface that runs between its 8 voxels (see `elementAreas`). Corner (i, j, k) lies before voxel (i, j, k) on
 * each axis; on a flat axis the mask goes on for ever, and the area is that of 1 mm of it: in a plane, a length.
 */
export function elementSurface(mask: BitGrid, imageShape: Vec3, spacing: Vec3): Surface {
  const flat = imageShape.map((n) => n === 1)
  const [ei, ej, ek] = flat.map((is) => (is ? 0 : 1))
  const { words, bits, shape } = mask
  const points = emptyBits([shape[0] + ei, shape[1] + ej, shape[2] + ek])
  const [, ny, nz] = points.shape
  const wordOf = (w: number, j: number, k: number): number =>
    w < 0 || w >= words || j < 0 || j >= shape[1] || k < 0 || k >= shape[2] ? 0 : bits[(k * shape[1] + j) * words + w]
  for (let k = 0, n = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let w = 0; w < points.words; w++, n++) {
        let [some, every] = [0, -1]
        for (const [dj, dk] of [
          [0, 0],
          [ej, 0],
          [0, ek],
          [ej, ek],
        ]) {
          const own = wordOf(w, j - dj, k - dk)
          const before = ei === 0 ? own : (own << 1) | (wordOf(w - 1, j - dj, k - dk) >>> 31)
          some |= own | before
          every &= own & before
        }
        points.bits[n] = some & ~every
      }
    }
  }
  const areas = elementAreas([flat[0] ? 1 : spacing[0], flat[1] ? 1 : spacing[1], flat[2] ? 1 : spacing[2]])
  const weights = new Float64Array(countBits(points))
  let count = 0
  placesOf(points, (i, j, k) => {
    let code = 0
    for (let corner = 0; corner < 8; corner++) {
      const at = i - (corner & 1 ? 0 : ei)
      const word = wordOf(at >> 5, j - (corner & 2 ? 0 : ej), k - (corner & 4 ? 0 : ek))
      code |= ((word >>> (at & 31)) & 1) << corner
    }
    weights[count++] = areas[code]
  })
  return { points, weights }
}
