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

/**
 * The lower envelope of the parabolas h(q) + (spacing·(p − q))², with sites q and queries p added in ascending order.
 */
class Envelope {
  readonly #sites: Int32Array
  /** Heights in units of spacing². */
  readonly #heights: Float64Array
  /** Where each parabola begins to be the lowest. */
  readonly #from: Float64Array
  #size = 0
  #cursor = 0
  #scale = 1

  constructor(capacity: number) {
    this.#sites = new Int32Array(capacity)
    this.#heights = new Float64Array(capacity)
    this.#from = new Float64Array(capacity)
  }

  get isEmpty(): boolean {
    return this.#size === 0
  }

  reset(spacing: number): void {
    this.#size = 0
    this.#cursor = 0
    this.#scale = 1 / (spacing * spacing)
  }

  add(site: number, height: number): void {
    const scaled = height * this.#scale
    let top = this.#size - 1
    let from = Number.NEGATIVE_INFINITY
    while (top >= 0) {
      const other = this.#sites[top]
      from = (scaled - this.#heights[top]) / (2 * (site - other)) + (site + other) / 2
      if (from > this.#from[top]) break
      top--
    }
    if (top < 0) from = Number.NEGATIVE_INFINITY
    this.#size = top + 2
    this.#sites[top + 1] = site
    this.#heights[top + 1] = scaled
    this.#from[top + 1] = from
  }

  /** The site of the parabola that is lowest at p. */
  nearest(p: number): number {
    while (this.#cursor + 1 < this.#size && this.#from[this.#cursor + 1] < p) this.#cursor++
    return this.#sites[this.#cursor]
  }
}
