import type { Grid, Vec3 } from '../volume/grid.ts'

/**
 * How wide the window is through which normals are seen, mm. Normals of a surface of voxels, and of one that lies
 * between annotators, are rough; products of displacements carry the product of two normals, so that roughness looks
 * like a short length scale. So the window is wider than voxels (2 of them) and than the annotators differ (1.3 σ),
 * but no wider than half of the object's radius.
 */
export function windowMm(middle: Uint8Array, masks: readonly Uint8Array[], grid: Grid): number {
  const moving = grid.spacing.filter((_, axis) => grid.shape[axis] > 1).sort((a, b) => a - b)
  const voxelMm = moving[Math.floor((moving.length - 1) / 2)]
  const votes = new Uint8Array(middle.length)
  for (const mask of masks) for (let i = 0; i < votes.length; i++) votes[i] += mask[i]
  let disputed = 0
  for (let i = 0; i < votes.length; i++) disputed += votes[i] * (masks.length - votes[i])
  const { volume, area } = sizeOf(middle, grid)
  const [x, y, z] = grid.spacing
  // What a pair of annotators draws differently, over the area, is the mean of |a − b|: 2/√π of σ.
  const pairs = (masks.length * (masks.length - 1)) / 2
  const sigmaMm = ((disputed / pairs) * x * y * z * Math.sqrt(Math.PI)) / (2 * area)
  const radiusMm = (moving.length * volume) / area
  return Math.min(Math.max(2 * voxelMm, 1.3 * sigmaMm), radiusMm / 2)
}

/** Volume and surface of a mask, mm³ and mm²; of a mask in one slice it is one that goes on along that axis. */
function sizeOf(mask: Uint8Array, { shape: [nx, ny, nz], spacing: [x, y, z] }: Grid) {
  const slice = nx * ny
  let [voxels, fx, fy, fz] = [0, 0, 0, 0]
  for (let k = 0, v = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++, v++) {
        const own = mask[v]
        voxels += own
        if (i + 1 < nx) fx += own ^ mask[v + 1]
        if (j + 1 < ny) fy += own ^ mask[v + nx]
        if (k + 1 < nz) fz += own ^ mask[v + slice]
      }
    }
  }
  // Stairs of voxels are longer than what they stand for: by 3/2 on average over all directions, by 4/π in a plane.
  const stairs = [nx, ny, nz].filter((n) => n > 1).length === 3 ? 3 / 2 : 4 / Math.PI
  const area = (fx * y * z + fy * x * z + fz * x * y) / stairs
  return { volume: voxels * x * y * z, area: Math.max(area, 1e-9) }
}

/** Voxels are looked at as far as this many standard deviations of the window, and at least so many for each. */
const [reach, perDeviation] = [2, 1.5]

interface WindowAxis {
  readonly offsets: Int32Array
  readonly weights: Float64Array
  /** Weights times offsets over the window's variance: the derivative, per mm. */
  readonly slopes: Float64Array
  /** Memory for the voxels of one look. */
  readonly voxels: Int32Array
}

/** Sees a mask through a normal distribution of `widthMm` (and 0.6 voxels at least): which way it ends. */
export class NormalWindow {
  readonly #mask: Uint8Array
  readonly #shape: Vec3
  readonly #axes: readonly WindowAxis[]

  constructor(mask: Uint8Array, { shape, spacing }: Grid, widthMm: number) {
    this.#mask = mask
    this.#shape = shape
    this.#axes = spacing.map((mm, axis) => {
      const deviation = Math.max(0.6, widthMm / mm)
      const step = Math.max(1, Math.floor(deviation / perDeviation))
      const steps = shape[axis] === 1 ? 0 : Math.ceil((reach * deviation) / step)
      const offsets = Int32Array.from({ length: 2 * steps + 1 }, (_, t) => (t - steps) * step)
      const plain = Float64Array.from(offsets, (offset) => Math.exp(-(offset ** 2) / (2 * deviation ** 2)))
      const sum = plain.reduce((a, b) => a + b, 0)
      const weights = plain.map((weight) => weight / sum)
      const slopes = weights.map((weight, t) => (weight * offsets[t]) / (deviation ** 2 * mm))
      return { offsets, weights, slopes, voxels: new Int32Array(offsets.length) }
    })
  }

  /** How fast the share inside falls along each axis at the voxel `at`, per mm: the outward normal's direction. */
  slope(at: Vec3): Vec3 {
    for (const [axis, { offsets, voxels }] of this.#axes.entries()) {
      const last = this.#shape[axis] - 1
      for (let t = 0; t < offsets.length; t++) voxels[t] = Math.max(0, Math.min(last, at[axis] + offsets[t]))
    }
    const mask = this.#mask
    const [nx, ny] = this.#shape
    const [x, y, z] = this.#axes
    const [vx, wx, dx] = [x.voxels, x.weights, x.slopes]
    let [sx, sy, sz] = [0, 0, 0]
    for (let c = 0; c < z.voxels.length; c++) {
      let [inside, along, across] = [0, 0, 0]
      for (let b = 0; b < y.voxels.length; b++) {
        const row = (z.voxels[c] * ny + y.voxels[b]) * nx
        let [sum, moment] = [0, 0]
        for (let a = 0; a < vx.length; a++) {
          const own = mask[row + vx[a]]
          sum += own * wx[a]
          moment += own * dx[a]
        }
        inside += sum * y.weights[b]
        along += moment * y.weights[b]
        across += sum * y.slopes[b]
      }
      sx -= along * z.weights[c]
      sy -= across * z.weights[c]
      sz -= inside * z.slopes[c]
    }
    return [sx, sy, sz]
  }
}
