import { normalCdf } from '../kernels/normal-cdf.ts'
import type { Grid, Vec3 } from '../volume/grid.ts'

/**
 * A mask seen through a small window of a normal distribution, 0.6 voxels wide: where between voxels its outline runs.
 * Positions are in voxels, and may be fractional; beyond the grid the mask goes on with its edge voxels.
 */
export class LocalMask {
  readonly #mask: Uint8Array
  readonly #shape: Vec3
  /** Memory for one look: weights and their derivatives along each axis, and where they fall. */
  readonly #weights = [new Float64Array(taps), new Float64Array(taps), new Float64Array(taps)]
  readonly #slopes = [new Float64Array(taps), new Float64Array(taps), new Float64Array(taps)]
  readonly #voxels = [new Int32Array(taps), new Int32Array(taps), new Int32Array(taps)]
  /** After `look`: the derivatives of the share along the axes, per voxel. */
  readonly gradient: Float64Array = new Float64Array(3)

  constructor(mask: Uint8Array, { shape }: Grid) {
    this.#mask = mask
    this.#shape = shape
  }

  /** Whether the voxel nearest to a position is inside. */
  inside(x: number, y: number, z: number): boolean {
    const [nx, ny, nz] = this.#shape
    const i = Math.max(0, Math.min(nx - 1, Math.round(x)))
    const j = Math.max(0, Math.min(ny - 1, Math.round(y)))
    const k = Math.max(0, Math.min(nz - 1, Math.round(z)))
    return this.#mask[(k * ny + j) * nx + i] !== 0
  }

  /** The share of the window that is inside (the mask is 0 and 1); its derivatives go to `gradient`. */
  look(x: number, y: number, z: number): number {
    this.#aim(0, x)
    this.#aim(1, y)
    this.#aim(2, z)
    const mask = this.#mask
    const [nx, ny] = this.#shape
    const [wx, wy, wz] = this.#weights
    const [sx, sy, sz] = this.#slopes
    const [vx, vy, vz] = this.#voxels
    // The five taps along i are written out: this loop is what most of a fit's time goes to.
    const [w0, w1, w2, w3, w4] = [wx[0], wx[1], wx[2], wx[3], wx[4]]
    const [s0, s1, s2, s3, s4] = [sx[0], sx[1], sx[2], sx[3], sx[4]]
    const [v0, v1, v2, v3, v4] = [vx[0], vx[1], vx[2], vx[3], vx[4]]
    let [share, gx, gy, gz] = [0, 0, 0, 0]
    for (let c = 0; c < taps; c++) {
      if (wz[c] === 0 && sz[c] === 0) continue
      let [sum, slope, across] = [0, 0, 0]
      for (let b = 0; b < taps; b++) {
        const row = (vz[c] * ny + vy[b]) * nx
        const [m0, m1, m2] = [mask[row + v0], mask[row + v1], mask[row + v2]]
        const [m3, m4] = [mask[row + v3], mask[row + v4]]
        const own = m0 * w0 + m1 * w1 + m2 * w2 + m3 * w3 + m4 * w4
        sum += own * wy[b]
        across += own * sy[b]
        slope += (m0 * s0 + m1 * s1 + m2 * s2 + m3 * s3 + m4 * s4) * wy[b]
      }
      share += sum * wz[c]
      gx += slope * wz[c]
      gy += across * wz[c]
      gz += sum * sz[c]
    }
    this.gradient[0] = gx
    this.gradient[1] = gy
    this.gradient[2] = gz
    return share
  }

  #aim(axis: number, at: number): void {
    const n = this.#shape[axis]
    const first = Math.round(at) - reach
    const [weights, slopes, voxels] = [this.#weights[axis], this.#slopes[axis], this.#voxels[axis]]
    for (let t = 0; t < taps; t++) {
      const v = first + t
      voxels[t] = v < 0 ? 0 : v >= n ? n - 1 : v
      weights[t] = n === 1 ? Number(t === 0) : cumulative(v + 0.5 - at) - cumulative(v - 0.5 - at)
      slopes[t] = n === 1 ? 0 : density(v - 0.5 - at) - density(v + 0.5 - at)
    }
  }
}

/** Voxels on each side of the nearest one: beyond lie 4 σ. */
const reach = 2
const taps = 2 * reach + 1
const sigmaVoxels = 0.6

/** Tables of the distribution and its density, in voxels from −4 to 4. */
const [perVoxel, farthest] = [512, 4]
const cumulatives = Float64Array.from({ length: 2 * farthest * perVoxel + 2 }, (_, i) =>
  normalCdf((i / perVoxel - farthest) / sigmaVoxels),
)
const densities = Float64Array.from({ length: 2 * farthest * perVoxel + 2 }, (_, i) => {
  const z = (i / perVoxel - farthest) / sigmaVoxels
  return Math.exp((-z * z) / 2) / (sigmaVoxels * Math.sqrt(2 * Math.PI))
})

function cumulative(voxels: number): number {
  return fromTable(cumulatives, voxels)
}

function density(voxels: number): number {
  return fromTable(densities, voxels)
}

function fromTable(table: Float64Array, voxels: number): number {
  const at = (voxels + farthest) * perVoxel
  const below = Math.floor(at)
  return table[below] + (at - below) * (table[below + 1] - table[below])
}
