import { type Grid, type Vec3, voxelCount, voxelVolumeMm3 } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { marginal } from './marginal.ts'
import type { MarginalNoise } from './model.ts'

/** The marginals of several labels, one channel each, with the volumes that they promise. */
export interface LabelMarginals {
  /** Label by label, each i fastest. */
  readonly data: Float32Array
  readonly volumes: readonly { readonly label: number; readonly volumeMl: number; readonly referenceMl: number }[]
}

/**
 * The marginals of labels of one map (`halfdice marginal`; see `marginal`) under noise, of strength σ or a model, or of
 * each label its own.
 */
export function labelMarginals(
  values: LabelArray,
  grid: Grid,
  labels: readonly number[],
  noise: Vec3 | MarginalNoise | ReadonlyMap<number, MarginalNoise>,
  onProgress?: (done: number) => void,
): LabelMarginals {
  const n = voxelCount(grid)
  const ml = voxelVolumeMm3(grid) / 1000
  const data = new Float32Array(n * labels.length)
  const volumes = labels.map((label, channel) => {
    const its = noise instanceof Map ? noise.get(label) : noise
    const own = marginal(values, grid, label, its, data.subarray(channel * n, (channel + 1) * n))
    let [sum, count] = [0, 0]
    for (let i = 0; i < n; i++) {
      sum += own[i]
      if (values[i] === label) count++
    }
    onProgress?.(channel + 1)
    return { label, volumeMl: sum * ml, referenceMl: count * ml }
  })
  return { data, volumes }
}
