import { InputError } from '../volume/errors.ts'
import type { Vec3 } from '../volume/grid.ts'

/**
 * The label noise of Nordström, Hult and Maki (arXiv 2304.04116): a displacement field X with independent, zero-mean,
 * stationary Gaussian components, Cov(Xᵢ(x), Xᵢ(y)) = σᵢ² exp(−‖x − y‖² / 2ℓ²). The noisy label is the reference at the
 * voxel nearest to x + X(x); beyond the grid the reference is continued by its edge voxels.
 */
export interface NoiseModel {
  /** Standard deviation σ of the displacement along each axis of the grid, in mm. An axis may have 0, not all. */
  readonly sigmaMm: Vec3
  /** Length scale ℓ of the correlation, in mm. */
  readonly lengthMm: number
}

/** Throws an InputError unless σ and ℓ are finite, σ ≥ 0 on each axis and > 0 on one, ℓ > 0. */
export function checkNoiseModel({ sigmaMm, lengthMm }: NoiseModel): void {
  checkSigma(sigmaMm)
  if (!(typeof lengthMm === 'number' && lengthMm > 0 && Number.isFinite(lengthMm))) {
    throw new InputError('length', `is ${lengthMm}; the length scale must be a positive number of mm`)
  }
}

/** Throws an InputError unless σ is finite, ≥ 0 on each axis and > 0 on one. */
export function checkSigma(sigmaMm: Vec3): void {
  if (!(Array.isArray(sigmaMm) && sigmaMm.length === 3)) {
    throw new InputError('sigma', `is ${String(sigmaMm)}; give three numbers of mm, one for each axis`)
  }
  if (!sigmaMm.every((s) => s >= 0 && Number.isFinite(s)) || !sigmaMm.some((s) => s > 0)) {
    throw new InputError('sigma', `is ${sigmaMm.join(',')}; the noise strength must be a positive number of mm`)
  }
}
