export { type PhantomCase, type PhantomOptions, phantomCase, phantomNames } from './datasets/phantom/phantom.ts'
export { type AccuracyOptimum, accuracyOptimum } from './decision/accuracy.ts'
export { type IouOptimum, iouOptimum } from './decision/iou.ts'
export { thresholdMask } from './decision/mask.ts'
export type { Probabilities } from './decision/probabilities.ts'
export { type SoftDiceOptimum, softDiceOptimum } from './decision/soft-dice.ts'
export { softDiceOptimumBySort } from './decision/soft-dice-by-sort.ts'
export { InputError } from './volume/errors.ts'
export {
  createGrid,
  type Grid,
  gridDifference,
  type Mat3,
  type Vec3,
  voxelCount,
  voxelVolumeMm3,
  worldPosition,
} from './volume/grid.ts'
export { type LabelArray, type LabelMap, labelMapOf } from './volume/labels.ts'
export { probabilitiesOf } from './volume/probabilities.ts'
export { channelOf, type Volume, type VoxelArray } from './volume/volume.ts'
