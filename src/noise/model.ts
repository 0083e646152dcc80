import { InputError } from '../volume/errors.ts'
import type { Vec3 } from '../volume/grid.ts'

/**
 * The label noise of Nordström, Hult and Maki (arXiv 2304.04116): a displacement field X with independent, zero-mean,
 * stationary Gaussian components, Cov(Xᵢ(x), Xᵢ(y)) = σᵢ² exp(−‖x − y‖² / 2ℓ²). The noisy label is the reference at the
 * voxel nearest to x + X(x); beyond the grid the reference is continued by its edge voxels. Annotators may also leave a
 * label out, and draw every outline wide or tight (docs/theory.md, "Several annotators").
 */
export interface NoiseModel {
  /** Standard deviation σ of the displacement along each axis of the grid, in mm. An axis may have 0, not all. */
  readonly sigmaMm: Vec3
  /** Length scale ℓ of the correlation, in mm. */
  readonly lengthMm: number
  /**
   * Probability q that an annotator draws a label at all; default 1. Each label is there or not by a draw of its own;
   * where it is not, its voxels are background (0).
   */
  readonly presence?: number | undefined
  /**
   * How far outwards an annotator draws the outline of the foreground, in mm; default 0, negative is inwards. What the
   * outline takes in gets the nearest label; where labels touch each other, nothing moves.
   */
  readonly biasMm?: number | undefined
  /** Standard deviation τ of that bias between annotators, in mm: each sample is another's. Default 0. */
  readonly biasSdMm?: number | undefined
}

/** What probabilities depend on: all of the noise but its length scale. */
export type MarginalNoise = Omit<NoiseModel, 'lengthMm'>

/** Whether annotators differ in more than a field: in what they leave out, or in where they draw outlines. */
export function isPlain({ presence = 1, biasMm = 0, biasSdMm = 0 }: MarginalNoise): boolean {
  return presence === 1 && biasMm === 0 && biasSdMm === 0
}

/** Outlines are moved by at most this many τ more than the mean bias: beyond lies a share of 2·10⁻⁹ of annotators. */
const farthestBias = 6

/** How far the outline may be moved, in mm; 0 where it stays. */
export function biasReachMm({ biasMm = 0, biasSdMm = 0 }: MarginalNoise): number {
  return Math.abs(biasMm) + farthestBias * biasSdMm
}

/** Throws an InputError unless `checkMarginalNoise` passes the noise and ℓ is finite and > 0. */
export function checkNoiseModel({ lengthMm, ...noise }: NoiseModel): void {
  checkMarginalNoise(noise)
  if (!(typeof lengthMm === 'number' && lengthMm > 0 && Number.isFinite(lengthMm))) {
    throw new InputError('length', `is ${lengthMm}; the length scale must be a positive number of mm`)
  }
}

/** Throws an InputError unless σ is finite, ≥ 0 on each axis and > 0 on one, q in [0, 1], and biases are lengths. */
export function checkMarginalNoise({ sigmaMm, presence = 1, biasMm = 0, biasSdMm = 0 }: MarginalNoise): void {
  checkSigma(sigmaMm)
  if (!(typeof presence === 'number' && presence >= 0 && presence <= 1)) {
    throw new InputError('presence', `is ${presence}; give a probability from 0 to 1`)
  }
  if (!(typeof biasMm === 'number' && Number.isFinite(biasMm))) {
    throw new InputError('bias', `is ${biasMm}; give a number of mm`)
  }
  if (!(typeof biasSdMm === 'number' && biasSdMm >= 0 && Number.isFinite(biasSdMm))) {
    throw new InputError('bias', `varies by ${biasSdMm}; give a number of mm that is not negative`)
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
