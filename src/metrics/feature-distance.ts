import { Envelope } from '../kernels/envelope.ts'
import type { Vec3 } from '../volume/grid.ts'

/** No feature in this row, or column. An axis has fewer voxels than this. */
const none = 0xffff

/**
 * The Euclidean distance, in mm, from each voxel of `queries` to the nearest voxel of `features` (both 0 and 1), in no
 * particular order; no distances where there are no features.
 *
 * Felzenszwalb & Huttenlocher, "Distance transforms of sampled functions" (2012): along i by scanning, along j and k as
 * lower envelopes of parabolas, along k only in columns with queries. What is passed on is the whole offset (di, dj) to
 * the nearest feature, 4 bytes a voxel, so that distances are exact to the rounding of float64 whatever the spacing.
 */
export function distancesToFeatures(
  queries: Uint8Array,
  features: Uint8Array,
  { shape, spacing }: { readonly shape: Vec3; readonly spacing: Vec3 },
): Float64Array {
  const [nx, ny, nz] = shape
  const slice = nx * ny
  const offsetsI = scanRows(features, nx)
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

  const columns = columnsWith(queries, slice)
  const distances = new Float64Array(queries.reduce((a, b) => a + b, 0))
  let count = 0
  for (let column = 0; column < slice; column++) {
    if (columns[column] === 0) continue
    envelope.reset(spacing[2])
    for (let k = 0, v = column; k < nz; k++, v += slice) {
      if (offsetsI[v] !== none) envelope.add(k, squared(offsetsI[v], offsetsJ[v], spacing))
    }
    if (envelope.isEmpty) continue
    for (let k = 0, v = column; k < nz; k++, v += slice) {
      if (queries[v] === 0) continue
      const nearest = envelope.nearest(k)
      const w = column + nearest * slice
      distances[count++] = Math.sqrt(squared(offsetsI[w], offsetsJ[w], spacing) + ((nearest - k) * spacing[2]) ** 2)
    }
  }
  return distances.subarray(0, count)
}

/** Squared length, in mm², of an offset within a slice. */
function squared(offsetI: number, offsetJ: number, spacing: Vec3): number {
  const x = offsetI * spacing[0]
  const y = offsetJ * spacing[1]
  return x * x + y * y
}

/** For each voxel the distance, in voxels, to the nearest feature of its row. */
function scanRows(features: Uint8Array, nx: number): Uint16Array {
  const offsets = new Uint16Array(features.length)
  for (let row = 0; row < features.length; row += nx) {
    let offset = none
    for (let v = row; v < row + nx; v++) {
      if (features[v] !== 0) offset = 0
      else if (offset !== none) offset++
      offsets[v] = offset
    }
    offset = none
    for (let v = row + nx - 1; v >= row; v--) {
      if (features[v] !== 0) offset = 0
      else if (offset !== none) offset++
      if (offset < offsets[v]) offsets[v] = offset
    }
  }
  return offsets
}

/** Which columns along k hold a query. */
function columnsWith(queries: Uint8Array, slice: number): Uint8Array {
  const columns = new Uint8Array(slice)
  for (let start = 0; start < queries.length; start += slice) {
    for (let column = 0; column < slice; column++) columns[column] |= queries[start + column]
  }
  return columns
}
