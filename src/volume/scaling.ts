import type { VoxelArray } from './volume.ts'

/** What stored numbers stand for: the real value is `slope · stored + intercept`. */
export interface Scaling {
  readonly slope: number
  readonly intercept: number
}

/** Stored numbers that stand for themselves. */
export const unscaled: Scaling = { slope: 1, intercept: 0 }

/** The real value of a stored number, in float64. */
export function realValue(stored: number, scaling: Scaling): number {
  return scaling.slope * stored + scaling.intercept
}

/** The number to store for a real value: the inverse of `realValue`. */
export function storedValue(real: number, scaling: Scaling): number {
  return (real - scaling.intercept) / scaling.slope
}

/** The real values of stored numbers, in an array of its own; float32 unless another is given. */
export function realValues(data: VoxelArray, scaling: Scaling | undefined): Float32Array
export function realValues<A extends VoxelArray>(data: VoxelArray, scaling: Scaling | undefined, out: A): A
export function realValues(
  data: VoxelArray,
  { slope, intercept }: Scaling = unscaled,
  out: VoxelArray = new Float32Array(data.length),
): VoxelArray {
  for (let i = 0; i < data.length; i++) out[i] = slope * data[i] + intercept
  return out
}
