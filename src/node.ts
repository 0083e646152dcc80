// `halfdice/node`: what `halfdice` exports, files, the cases of a pipeline, and training.

export { type DatasetJson, readDatasetJson } from './datasets/dataset-json.ts'
export { type NpyStream, type Npz, openNpy, openNpz, readNpy, readNpz, writeNpy, writeNpz } from './formats/npz.ts'
export { openVolume, readVolume, type VolumeStream, writeVolume } from './formats/volume-file.ts'
export * from './index.ts'
export type { CaseMaps, NumberOptions, Placement, StoredNumbers } from './maps/case-maps.ts'
export { type ClassScheme, type MapClass, readClasses } from './maps/classes.ts'
export { type CaseDecision, type DecodeCaseOptions, decodeCase } from './maps/decode.ts'
export { type FindOptions, type FoundCase, type FoundCases, findCases } from './maps/find-cases.ts'
export { type OpenedCase, type OpenOptions, openCase } from './maps/open-case.ts'
export { readMaps } from './maps/read-maps.ts'
export { writeMask } from './maps/write-mask.ts'
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
