import type { MarginalNoise } from '../noise/model.ts'
import { boxOf, growBox } from '../volume/box.ts'
import { type Grid, vec3 } from '../volume/grid.ts'

/** The noise moves a boundary by more than this many σ in one voxel of 700 only. */
const reachSigmas = 3

/**
 * The voxels around an organ in which calibration is measured: its bounding box grown by 3σ and by how far
 * annotators draw outlines outwards. Over the whole image the background, which any network predicts well, would swamp
 * every score; and the same voxels must count for all maps.
 */
export function neighbourhood(clean: Uint8Array, grid: Grid, noise: MarginalNoise): Int32Array {
  const organ = boxOf(clean, grid.shape, 0)
  if (organ === undefined) return new Int32Array(0)
  const biasMm = Math.max(0, (noise.biasMm ?? 0) + reachSigmas * (noise.biasSdMm ?? 0))
  const margin = vec3((axis) => Math.ceil((reachSigmas * noise.sigmaMm[axis] + biasMm) / grid.spacing[axis]))
  const { start, shape } = growBox(organ, margin, grid)
  const result = new Int32Array(shape[0] * shape[1] * shape[2])
  let at = 0
  for (let k = start[2]; k < start[2] + shape[2]; k++) {
    for (let j = start[1]; j < start[1] + shape[1]; j++) {
      const row = (k * grid.shape[1] + j) * grid.shape[0]
      for (let i = start[0]; i < start[0] + shape[0]; i++) result[at++] = row + i
    }
  }
  return result
}
