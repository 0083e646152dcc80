import type { LabelBits } from './label-bits.ts'
import type { PreparedImage } from './preprocess.ts'

/** A training case on the network's grid: image, label bits (see labelBits) and some voxels inside labels. */
export interface PreparedCase {
  readonly id: string
  readonly image: PreparedImage
  readonly bits: LabelBits
  readonly foreground: Int32Array
}

/** Shifts and flips only: every voxel is copied. */
export function copyPatch(
  { image: { data, channels, outside, placement }, bits }: PreparedCase,
  patch: readonly number[],
  centre: readonly number[],
  signs: readonly number[],
  image: Float32Array,
  target: Float32Array,
  outputs: number,
): void {
  const [nx, ny, nz] = placement.size
  const [px, py, pz] = patch
  const voxels = px * py * pz
  const along = (axis: number) =>
    Int32Array.from({ length: patch[axis] }, (_, u) => {
      const offset = signs[axis] > 0 ? u : patch[axis] - 1 - u
      const at = centre[axis] - Math.floor(patch[axis] / 2) + offset
      return at >= 0 && at < placement.size[axis] ? at : -1
    })
  const [is, js, ks] = [along(0), along(1), along(2)]
  for (let w = 0, to = 0; w < pz; w++) {
    for (let v = 0; v < py; v++) {
      const row = ks[w] < 0 || js[v] < 0 ? -1 : (ks[w] * ny + js[v]) * nx
      for (let u = 0; u < px; u++, to++) {
        const from = row < 0 || is[u] < 0 ? -1 : row + is[u]
        for (let c = 0; c < channels; c++)
          image[c * voxels + to] = from < 0 ? outside[c] : data[c * nx * ny * nz + from]
        const b = from < 0 ? 0 : bits[from]
        for (let k = 0; k < outputs; k++) target[k * voxels + to] = (b >>> k) & 1
      }
    }
  }
}

/** Any linear map: images by (tri)linear interpolation, labels by the nearest voxel. */
export function resamplePatch(
  { image: { data, channels, outside, placement }, bits }: PreparedCase,
  patch: readonly number[],
  centre: readonly number[],
  m: readonly number[],
  image: Float32Array,
  target: Float32Array,
  outputs: number,
): void {
  const [nx, ny, nz] = placement.size
  const [px, py, pz] = patch
  const voxels = px * py * pz
  const plane = nx * ny
  const flat = pz === 1
  for (let w = 0, to = 0; w < pz; w++) {
    const dz = flat ? 0 : w - (pz - 1) / 2
    for (let v = 0; v < py; v++) {
      const dy = v - (py - 1) / 2
      for (let u = 0; u < px; u++, to++) {
        const dx = u - (px - 1) / 2
        const x = centre[0] + m[0] * dx + m[1] * dy + m[2] * dz
        const y = centre[1] + m[3] * dx + m[4] * dy + m[5] * dz
        const z = centre[2] + m[6] * dx + m[7] * dy + m[8] * dz
        if (!(x > -0.5 && x < nx - 0.5 && y > -0.5 && y < ny - 0.5 && z > -0.5 && z < nz - 0.5)) {
          for (let c = 0; c < channels; c++) image[c * voxels + to] = outside[c]
          for (let k = 0; k < outputs; k++) target[k * voxels + to] = 0
          continue
        }
        const nearest = (Math.round(z) * ny + Math.round(y)) * nx + Math.round(x)
        const b = bits[nearest]
        for (let k = 0; k < outputs; k++) target[k * voxels + to] = (b >>> k) & 1
        // Within half a voxel of the border the border's voxel counts alone.
        const x0 = Math.min(nx - 1, Math.max(0, Math.floor(x)))
        const y0 = Math.min(ny - 1, Math.max(0, Math.floor(y)))
        const z0 = Math.min(nz - 1, Math.max(0, Math.floor(z)))
        const fx = Math.max(0, x - x0)
        const fy = Math.max(0, y - y0)
        const fz = Math.max(0, z - z0)
        const sx = x0 < nx - 1 ? 1 : 0
        const sy = y0 < ny - 1 ? nx : 0
        const sz = z0 < nz - 1 ? plane : 0
        for (let c = 0; c < channels; c++) {
          const at = c * plane * nz + z0 * plane + y0 * nx + x0
          const near = bilinear(data, at, sx, sy, fx, fy)
          image[c * voxels + to] =
            flat || fz === 0 ? near : near + fz * (bilinear(data, at + sz, sx, sy, fx, fy) - near)
        }
      }
    }
  }
}

function bilinear(data: Float32Array, at: number, sx: number, sy: number, fx: number, fy: number): number {
  const top = data[at] + fx * (data[at + sx] - data[at])
  const bottom = data[at + sy] + fx * (data[at + sy + sx] - data[at + sy])
  return top + fy * (bottom - top)
}
