import { Envelope } from '../../kernels/envelope.ts'
import type { Vec3 } from '../../volume/grid.ts'
import { type BitGrid, lowestOne, onesOf } from './bit-grid.ts'

/** No feature in this row, or column. An axis has fewer voxels than this. */
const none = 0xffff

/**
 * The Euclidean distance, in mm, from each query to the nearest feature, in memory order of the queries. There must be
 * a feature.
 *
 * Felzenszwalb & Huttenlocher, "Distance transforms of sampled functions" (2012): along i by scanning, along j and k as
 * lower envelopes of parabolas, along k only in columns with queries. What is passed on is the whole offset (di, dj) to
 * the nearest feature, 4 bytes a voxel, so that distances are exact to the rounding of float64 whatever the spacing.
 */
export function distanceTransform(queries: BitGrid, features: BitGrid, spacing: Vec3): Float64Array {
  const [nx, ny, nz] = features.shape
  const slice = nx * ny
  const offsetsI = scanRows(features)
  const offsetsJ = new Uint16Array(offsetsI.length)
  const envelope = new Envelope(Math.max(ny, nz))
  const lineI = new Uint16Array(ny)
  for (let k = 0; k < nz; k++) {
    for (let i = 0; i < nx; i++) {
      const first = k * slice + i
      envelope.reset(spacing[1])
      for (let j = 0; j < ny; j++) {
        lineI[j] = offsetsI[first + j * nx]
        if (lineI[j] !== none) envelope.add(j, (lineI[j] * spacing[0]) ** 2)
      }
      if (envelope.isEmpty) continue
      for (let j = 0; j < ny; j++) {
        const nearest = envelope.nearest(j)
        offsetsI[first + j * nx] = lineI[nearest]
        offsetsJ[first + j * nx] = Math.abs(nearest - j)
      }
    }
  }

  const { ranks, total } = ranksOf(queries)
  const distances = new Float64Array(total)
  const { words, bits } = queries
  for (let j = 0; j < ny; j++) {
    for (let w = 0; w < words; w++) {
      const first = j * words + w
      let columns = 0
      for (let n = first; n < bits.length; n += ny * words) columns |= bits[n]
      for (let left = columns; left !== 0; left &= left - 1) {
        const bit = lowestOne(left)
        const column = j * nx + 32 * w + bit
        envelope.reset(spacing[2])
        for (let k = 0, v = column; k < nz; k++, v += slice) {
          if (offsetsI[v] !== none) envelope.add(k, squared(offsetsI[v], offsetsJ[v], spacing))
        }
        for (let k = 0, n = first; k < nz; k++, n += ny * words) {
          if (((bits[n] >>> bit) & 1) === 0) continue
          const nearest = envelope.nearest(k)
          const v = column + nearest * slice
          const before = onesOf(bits[n] & ~(-1 << bit))
          distances[ranks[n] + before] = Math.sqrt(
            squared(offsetsI[v], offsetsJ[v], spacing) + ((nearest - k) * spacing[2]) ** 2,
          )
        }
      }
    }
  }
  return distances
}

/** For each word how many voxels come before it. */
function ranksOf({ bits }: BitGrid): { ranks: Int32Array; total: number } {
  const ranks = new Int32Array(bits.length)
  let total = 0
  for (let n = 0; n < bits.length; n++) {
    ranks[n] = total
    total += onesOf(bits[n])
  }
  return { ranks, total }
}

/** Squared length, in mm², of an offset within a slice. */
function squared(offsetI: number, offsetJ: number, spacing: Vec3): number {
  const x = offsetI * spacing[0]
  const y = offsetJ * spacing[1]
  return x * x + y * y
}

/** For each voxel the distance, in voxels, to the nearest feature of its row. */
function scanRows({ shape: [nx, ny, nz], words, bits }: BitGrid): Uint16Array {
  const offsets = new Uint16Array(nx * ny * nz)
  for (let row = 0; row < ny * nz; row++) {
    const first = row * nx
    let offset = none
    for (let i = 0; i < nx; i++) {
      if ((bits[row * words + (i >> 5)] >>> (i & 31)) & 1) offset = 0
      else if (offset !== none) offset++
      offsets[first + i] = offset
    }
    for (let i = nx - 1; i >= 0; i--) {
      if (offsets[first + i] === 0) offset = 0
      else if (offset !== none) offset++
      if (offset < offsets[first + i]) offsets[first + i] = offset
    }
  }
  return offsets
}
