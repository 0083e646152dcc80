export { type NpyStream, type Npz, openNpy, openNpz, readNpy, readNpz, writeNpy, writeNpz } from './formats/npz.ts'
export { openVolume, readVolume, type VolumeStream, writeVolume } from './formats/volume-file.ts'
export * from './index.ts'
export type { EpochLog } from './network/train.ts'
export { type Model, type ModelMetadata, type OutputSpec, openModel } from './training/model-file.ts'
export { predictProbability } from './training/predict.ts'
export { predictedMask } from './training/predicted-mask.ts'
export { type TrainingResult, type TrainingRun, trainSegmentation } from './training/train.ts'
export type {
  CaseSource,
  TrainingCase,
  TrainingConfig,
} from './training/training-config.ts'
export { completeTraining, defaultTraining, type TrainingChoices } from './training/training-defaults.ts'
