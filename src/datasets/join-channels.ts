import { InputError } from '../volume/errors.ts'
import { gridDifference, voxelCount } from '../volume/grid.ts'
import { realValues } from '../volume/scaling.ts'
import type { Volume } from '../volume/volume.ts'

/**
 * Joins one-channel volumes on one grid to a volume of several channels.
 *
 * @throws InputError where grids differ or a volume has several channels
 */
export function joinChannels(volumes: readonly Volume[], subjects: readonly string[]): Volume {
  if (volumes.length === 1) return volumes[0]
  const n = voxelCount(volumes[0].grid)
  const data = new Float32Array(n * volumes.length)
  for (const [c, volume] of volumes.entries()) {
    if (volume.channels !== 1)
      throw new InputError(subjects[c], `has ${volume.channels} channels; give one file a channel`)
    const difference = gridDifference(volumes[0].grid, volume.grid)
    if (difference !== undefined) {
      throw new InputError(
        subjects[c],
        `lies on another grid than ${subjects[0]} (${difference}); resample one of them`,
      )
    }
    realValues(volume.data, volume.scaling, data.subarray(c * n, (c + 1) * n))
  }
  return { grid: volumes[0].grid, channels: volumes.length, data, header: volumes[0].header }
}
