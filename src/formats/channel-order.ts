import type { VoxelArray } from '../volume/volume.ts'
import { allocateVoxels, arrayType } from './voxel-types.ts'

/**
 * Moves the axis of channels behind all others, as a `Volume` has it. `inner` is the number of elements in the axes
 * that run faster than the channels: 1 for interleaved components.
 */
export function channelsLast(data: VoxelArray, channels: number, inner: number): VoxelArray {
  const outer = data.length / (channels * inner)
  if (channels === 1 || outer === 1) return data
  const out = allocateVoxels(arrayType(data), data.length)
  for (let c = 0, to = 0; c < channels; c++) {
    for (let o = 0; o < outer; o++) {
      const from = (o * channels + c) * inner
      for (let i = 0; i < inner; i++) out[to++] = data[from + i]
    }
  }
  return out
}

/** The opposite for interleaved components: the channel varies fastest. */
export function channelsFirst(data: VoxelArray, channels: number): VoxelArray {
  if (channels === 1) return data
  const voxels = data.length / channels
  const out = allocateVoxels(arrayType(data), data.length)
  for (let c = 0, from = 0; c < channels; c++) {
    for (let n = 0; n < voxels; n++) out[n * channels + c] = data[from++]
  }
  return out
}
