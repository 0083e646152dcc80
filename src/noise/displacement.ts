import { checkGrid } from '../volume/checks.ts'
import type { Grid } from '../volume/grid.ts'
import { voxelCount } from '../volume/grid.ts'
import { allBlocks, blockSize } from './blocks.ts'
import { Field } from './field.ts'
import { checkNoiseModel, type NoiseModel } from './model.ts'

/**
 * Samples the displacement field X itself (docs/theory.md, "A noise model for contours"; arXiv 2304.04116), for looking
 * at it or for warping images together with their labels. The label sampler moves labels by exactly this field for the
 * same grid, noise, seed and index.
 *
 * @returns three components in mm along the grid's axes i, j, k: `[X_i, X_j, X_k]`, each one value a voxel, i fastest.
 *   An axis of extent 1 or strength 0 has component 0.
 * @throws InputError for σ or ℓ that are not positive
 * @example
 * const [x] = sampleDisplacement(createGrid([64, 64, 32]), { sigmaMm: [2, 2, 2], lengthMm: 8 }, 0, 0)
 * x.length // 131072: mm along i, one number a voxel
 */
export function sampleDisplacement(
  grid: Grid,
  noise: NoiseModel,
  seed: number,
  index: number,
): readonly [Float32Array, Float32Array, Float32Array] {
  checkGrid(grid)
  checkNoiseModel(noise)
  const [nx, ny, nz] = grid.shape
  const field = new Field(grid, noise, { start: [0, 0, 0], shape: grid.shape }, allBlocks(grid.shape))
  const eight = field.arena.reserve(blockSize * 4)
  const view = field.arena.floats(eight, blockSize)
  const result = [0, 1, 2].map(() => new Float32Array(voxelCount(grid)))
  const { at, rowStride, planeStride, componentStride, scale, taps } = field.blockRow
  field.begin(seed, index)
  for (let z = 0; z < nz; z += blockSize) {
    field.slab(z)
    for (let y = 0; y < ny; y += blockSize) {
      field.row(y)
      for (let c = 0; c < 3; c++) {
        if (grid.shape[c] === 1 || noise.sigmaMm[c] === 0) continue
        for (let dz = 0; dz < Math.min(blockSize, nz - z); dz++) {
          for (let dy = 0; dy < Math.min(blockSize, ny - y); dy++) {
            const row = at + c * componentStride + dz * planeStride + dy * rowStride
            for (let x = 0; x < nx; x += blockSize) {
              const from = row + field.blockOffset(x)
              field.kernels.expandRow(eight, from, scale, field.matrix(x), taps)
              const to = ((z + dz) * ny + y + dy) * nx + x
              for (let dx = 0; dx < Math.min(blockSize, nx - x); dx++) {
                result[c][to + dx] = view[dx] * noise.sigmaMm[c]
              }
            }
          }
        }
      }
    }
  }
  return result as unknown as readonly [Float32Array, Float32Array, Float32Array]
}
