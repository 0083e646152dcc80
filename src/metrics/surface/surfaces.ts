import { type Vec3, vec3 } from '../../volume/grid.ts'
import { type BitGrid, countBits, emptyBits, lowestOne } from './bit-grid.ts'
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
  const [nx, ny, nz] = mask.shape
  const points = emptyBits([nx + ei, ny + ej, nz + ek])
  const areas = elementAreas(vec3((axis) => (flat[axis] ? 1 : spacing[axis])))
  const rows = rowsOf(mask)
  const own = new Int32Array(4)
  const before = new Int32Array(4)
  const weights: number[] = []
  for (let k = 0, n = 0; k < nz + ek; k++) {
    for (let j = 0; j < ny + ej; j++) {
      // The rows before and behind, along j and then along k: bits 2 and 4 of a corner's number.
      const four = [rows.at(j - ej, k - ek), rows.at(j, k - ek), rows.at(j - ej, k), rows.at(j, k)]
      for (let w = 0; w < points.words; w++, n++) {
        let [some, every] = [0, -1]
        for (let row = 0; row < 4; row++) {
          const word = rows.bits[four[row] + w + 1]
          own[row] = word
          before[row] = ei === 0 ? word : (word << 1) | (rows.bits[four[row] + w] >>> 31)
          some |= word | before[row]
          every &= word & before[row]
        }
        const surface = some & ~every
        points.bits[n] = surface
        for (let left = surface; left !== 0; left &= left - 1) {
          const bit = lowestOne(left)
          let code = 0
          for (let row = 0; row < 4; row++) {
            code |= (((before[row] >>> bit) & 1) | (((own[row] >>> bit) & 1) << 1)) << (2 * row)
          }
          weights.push(areas[code])
        }
      }
    }
  }
  return { points, weights: Float64Array.from(weights) }
}

/** The rows of a mask with an empty word before and behind each, and an empty row for those beyond the mask. */
function rowsOf({ shape: [, ny, nz], words, bits }: BitGrid) {
  const length = words + 2
  const padded = new Int32Array((ny * nz + 1) * length)
  for (let row = 0, n = 0; row < ny * nz; row++) {
    for (let w = 1; w <= words; w++, n++) padded[row * length + w] = bits[n]
  }
  const at = (j: number, k: number): number => (j < 0 || j >= ny || k < 0 || k >= nz ? ny * nz : k * ny + j) * length
  return { bits: padded, at }
}
