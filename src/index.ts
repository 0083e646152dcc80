export { type PhantomCase, type PhantomOptions, phantomCase, phantomNames } from './datasets/phantom/phantom.ts'
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
