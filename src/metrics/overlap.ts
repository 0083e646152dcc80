import { checkVoxels } from '../volume/checks.ts'
import type { VoxelArray } from '../volume/volume.ts'

/** How two masks overlap, in voxels. */
export interface Overlap {
  readonly voxelsA: number
  readonly voxelsB: number
  readonly voxelsBoth: number
}

/**
 * Counts the voxels of two masks and of their intersection. What is not 0 is inside.
 *
 * @throws InputError where the masks differ in length.
 * @example
 * overlap(new Uint8Array([1, 1, 0]), new Uint8Array([0, 1, 0])) // { voxelsA: 2, voxelsB: 1, voxelsBoth: 1 }
 */
export function overlap(a: VoxelArray, b: VoxelArray): Overlap {
  checkVoxels(a, 'first mask')
  checkVoxels(b, 'second mask', a.length)
  let [voxelsA, voxelsB, voxelsBoth] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    const inA = a[i] !== 0 ? 1 : 0
    const inB = b[i] !== 0 ? 1 : 0
    voxelsA += inA
    voxelsB += inB
    voxelsBoth += inA & inB
  }
  return { voxelsA, voxelsB, voxelsBoth }
}

/**
 * The Dice coefficient 2|A∩B|/(|A| + |B|) of two masks (Dice, Ecology 1945); 1 where both are empty, 0 where one is.
 *
 * @throws InputError where the masks differ in length.
 * @example
 * dice(new Uint8Array([1, 1, 0]), new Uint8Array([0, 1, 0])) // 2·1/(2 + 1)
 */
export function dice(a: VoxelArray, b: VoxelArray): number {
  return diceOf(overlap(a, b))
}

/**
 * The intersection over union |A∩B|/|A∪B| of two masks (Jaccard, 1901); 1 where both are empty, 0 where one is.
 *
 * @throws InputError where the masks differ in length.
 * @example
 * iou(new Uint8Array([1, 1, 0]), new Uint8Array([0, 1, 0])) // 1/2
 */
export function iou(a: VoxelArray, b: VoxelArray): number {
  return iouOf(overlap(a, b))
}

/** Dice from counts. */
export function diceOf({ voxelsA, voxelsB, voxelsBoth }: Overlap): number {
  const sizes = voxelsA + voxelsB
  return sizes === 0 ? 1 : (2 * voxelsBoth) / sizes
}

/** IoU from counts. */
export function iouOf({ voxelsA, voxelsB, voxelsBoth }: Overlap): number {
  const union = voxelsA + voxelsB - voxelsBoth
  return union === 0 ? 1 : voxelsBoth / union
}

/** Precision |A∩B|/|A| of a prediction A from counts; 1 where both masks are empty, 0 where one is. */
export function precisionOf({ voxelsA, voxelsB, voxelsBoth }: Overlap): number {
  return voxelsA === 0 ? Number(voxelsB === 0) : voxelsBoth / voxelsA
}

/** Recall |A∩B|/|B| of a prediction A from counts; 1 where both masks are empty, 0 where one is. */
export function recallOf({ voxelsA, voxelsB, voxelsBoth }: Overlap): number {
  return precisionOf({ voxelsA: voxelsB, voxelsB: voxelsA, voxelsBoth })
}
