// `halfdice`: noise, optima, decoding, metrics, annotators, for Node and browsers. node.ts adds files, report.ts pages.

export {
  type AnnotatorScore,
  type Consensus,
  type ConsensusRule,
  consensus,
  type LabelConsensus,
} from './annotators/consensus.ts'
export { type PhantomCase, type PhantomOptions, phantomCase } from './datasets/phantom/phantom.ts'
export { type AccuracyOptimum, accuracyOptimum } from './decision/accuracy.ts'
export type { AnnotatorCeiling } from './decision/annotator-ceiling.ts'
export { type CodeArray, CodeHistogram } from './decision/code-histogram.ts'
export type { DecodedCase } from './decision/decode/case-decoder.ts'
export { type ClassProbabilities, decodeProbabilities } from './decision/decode/decode-probabilities.ts'
export type { DecodeOptions, Metric } from './decision/decode/options.ts'
export {
  type Presence,
  type PresenceEvidence,
  type PresenceReason,
  type PresenceRule,
  presenceOf,
} from './decision/decode/presence.ts'
export type { MapResult } from './decision/decode/result.ts'
export {
  type DiceCurve,
  type NearOptimalThresholds,
  nearOptimalThresholds,
  softDiceCurve,
} from './decision/dice-curve.ts'
export { DiceHistogram, type DiceRefinement } from './decision/dice-histogram.ts'
export {
  type CutEstimate,
  type ExpectedDice,
  type ExpectedDiceOptions,
  expectedDiceByThreshold,
  type MeanEstimate,
} from './decision/expected-dice.ts'
export {
  type IndependentDiceOptimum,
  independentDiceOptimum,
} from './decision/independent-dice.ts'
export { type IouOptimum, iouOptimum } from './decision/iou.ts'
export { thresholdMask } from './decision/mask.ts'
export type { Probabilities, ProbabilityArray } from './decision/probabilities.ts'
export { type RmaOptimum, rmaOptimum } from './decision/rma.ts'
export { type MeanInterval, type SampledDice, type SampledDiceOptions, sampledDice } from './decision/sampled-dice.ts'
export { type SoftDiceOptimum, softDiceOptimum } from './decision/soft-dice.ts'
export { softDiceOptimumBySort } from './decision/soft-dice-by-sort.ts'
export { type VolumeCut, volumeCut } from './decision/volume-cut.ts'
export { gunzip } from './formats/gunzip.ts'
export { decodeNifti, encodeNifti } from './formats/nifti.ts'
export type { NiftiHeader } from './formats/nifti-fields.ts'
export { decodeNpy, encodeNpy, inCOrder, type NpyArray } from './formats/npy.ts'
export type { VoxelType } from './formats/voxel-types.ts'
export {
  brierScore,
  type Calibration,
  type CalibrationBin,
  calibration,
  expectedCalibrationError,
} from './metrics/calibration.ts'
export {
  type CaseScore,
  type CeilingOf,
  type EvaluateCaseOptions,
  type Evaluation,
  evaluateCase,
  type ProbabilityScore,
} from './metrics/evaluate-case.ts'
export { type EvaluateOptions, evaluateLabels, type LabelScores } from './metrics/evaluate-labels.ts'
export type { Lesion, LesionOptions, LesionScores } from './metrics/lesions.ts'
export { dice, iou, type Overlap, overlap } from './metrics/overlap.ts'
export {
  type DistanceConvention,
  type GridSize,
  type SurfaceDistances,
  type SurfaceOptions,
  surfaceDistances,
} from './metrics/surface-distances.ts'
export { sampleDisplacement } from './noise/displacement.ts'
export { foldProbability } from './noise/fold.ts'
export { type BoxedMarginal, marginal, marginalInBox } from './noise/marginal.ts'
export type { MarginalNoise, NoiseModel } from './noise/model.ts'
export { createSampler, type Sampler } from './noise/sampler.ts'
export type { Box } from './volume/box.ts'
export type { Bytes } from './volume/bytes.ts'
export type { Connectivity } from './volume/component-runs.ts'
export { InputError, OutputError, RunError } from './volume/errors.ts'
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
export type { LabelSet } from './volume/label-numbers.ts'
export { type LabelArray, type LabelMap, labelMapOf } from './volume/labels.ts'
export { probabilitiesOf } from './volume/probabilities.ts'
export { streamSeed } from './volume/random.ts'
export type { Scaling } from './volume/scaling.ts'
export { channelOf, type Volume, type VoxelArray } from './volume/volume.ts'
