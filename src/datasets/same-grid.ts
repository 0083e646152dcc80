import { InputError } from '../volume/errors.ts'
import { type Grid, gridDifference, voxelCount, worldPosition } from '../volume/grid.ts'
import { labelMapOf } from '../volume/labels.ts'
import type { Volume } from '../volume/volume.ts'

/**
 * An image and its masks, written by different programs, may disagree about an affine in its last digits
 * (TotalSegmentator's do, by up to 0.02 voxels at a far corner). A tenth of a voxel is below what any label says.
 */
const toleranceVoxels = 0.1

/**
 * A label map on the image's grid: the map itself where it lies there already, else, if asked, the nearest label at
 * each of the image's voxels (background beyond the map).
 *
 * @throws InputError where the grids differ and resampling is not asked for
 */
export function onGrid(
  labels: Volume,
  grid: Grid,
  resample: boolean,
  subject: string,
  remedy = 'resample it, or set data.resampleLabels: true',
): Volume {
  const difference = gridDifference(grid, labels.grid, toleranceVoxels)
  if (difference === undefined) return { ...labels, grid }
  if (!resample) {
    throw new InputError(subject, `lies on another grid than its image (${difference}); ${remedy}`)
  }
  const { values } = labelMapOf(labels, subject)
  const result = new Int32Array(voxelCount(grid))
  const [nx, ny, nz] = labels.grid.shape
  const toVoxel = inverse(labels.grid, subject)
  const [mx, my, mz] = grid.shape
  for (let k = 0, at = 0; k < mz; k++) {
    for (let j = 0; j < my; j++) {
      for (let i = 0; i < mx; i++, at++) {
        const [x, y, z] = toVoxel(worldPosition(grid, [i, j, k])).map(Math.round)
        if (x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < nz) result[at] = values[(z * ny + y) * nx + x]
      }
    }
  }
  return { grid, channels: 1, data: result }
}

/** From world millimetres to voxel indices: the inverse of `worldPosition`. */
function inverse({ origin, direction, spacing }: Grid, subject: string) {
  const a = direction.map((d, at) => d * spacing[at % 3])
  const cofactor = (r: number, c: number) => {
    const at = (i: number, j: number) => a[((r + i) % 3) * 3 + ((c + j) % 3)]
    return at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1)
  }
  const determinant = a[0] * cofactor(0, 0) + a[1] * cofactor(0, 1) + a[2] * cofactor(0, 2)
  if (!(Math.abs(determinant) > 0)) throw new InputError(subject, 'has a singular affine; write it anew')
  return (world: readonly number[]): number[] =>
    [0, 1, 2].map((i) => [0, 1, 2].reduce((sum, j) => sum + cofactor(j, i) * (world[j] - origin[j]), 0) / determinant)
}
