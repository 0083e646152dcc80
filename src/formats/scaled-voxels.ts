import { realValues } from '../volume/scaling.ts'
import type { Volume, VoxelArray } from '../volume/volume.ts'

/** A volume's voxels with its scaling applied, for formats that have none. */
export function scaledVoxels({ data, scaling }: Volume): VoxelArray {
  if (!scaling) return data
  // float32 holds 16-bit integers exactly; wider types need float64 not to lose digits.
  const out = data.BYTES_PER_ELEMENT <= 2 ? new Float32Array(data.length) : new Float64Array(data.length)
  return realValues(data, scaling, out)
}
