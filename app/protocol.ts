// What the page and its workers tell each other.

import type { Consensus, ConsensusRule } from '../src/annotators/consensus.ts'
import type { AnnotatorFit } from '../src/annotators/fit.ts'
import type { CaseObservation } from '../src/annotators/observe.ts'
import type { DiceCurve } from '../src/decision/dice-curve.ts'
import type { SoftDiceOptimum } from '../src/decision/soft-dice.ts'
import type { Calibration } from '../src/metrics/calibration.ts'
import type { Box } from '../src/volume/box.ts'
import type { Grid, Vec3 } from '../src/volume/grid.ts'
import type { LabelArray } from '../src/volume/labels.ts'
import type { VoxelArray } from '../src/volume/volume.ts'

export type Role = 'probabilities' | 'labels' | 'image'

/** A file, or a folder of one series, and what it is taken for. */
export interface Item {
  readonly id: number
  readonly name: string
  readonly role: Role
  readonly grid: Grid
  readonly channels: number
  /** Of the example: the map that its annotators were drawn from, which is none of theirs. */
  readonly truth?: boolean
  /** Of probabilities that are stored as other numbers than 0 to 1: the largest of them. */
  readonly largest?: number
  /** Whether a DICOM segmentation can refer to it. */
  readonly dicom?: boolean
  /** Of label maps. */
  readonly labels?: readonly { readonly label: number; readonly name?: string }[]
}

export interface Given {
  readonly path: string
  readonly file: Blob
}

export interface Opened {
  readonly items: readonly Item[]
  /** Files that could not be read, a sentence each. */
  readonly faults: readonly string[]
}

/** A class of a probability map. */
export interface ClassName {
  /** Its map's number in the file. */
  readonly index: number
  readonly name: string
  readonly labels: readonly number[]
}

export interface Maps {
  readonly kind: 'exclusive' | 'regions' | 'separate'
  readonly classes: readonly ClassName[]
  readonly warnings: readonly string[]
  /** False where nothing says how large voxels are. */
  readonly hasGeometry: boolean
}

export interface ClassMap {
  readonly map: Float32Array
  readonly optimum: SoftDiceOptimum
  /** How long the optimum took, ms. */
  readonly ms: number
}

/** What a class's own evidence says: a row of the table of classes. */
export interface ClassVerdict {
  readonly index: number
  readonly supDice: number
  readonly diceAtHalf: number
  readonly volume: number
  readonly volumeHalf: number
  readonly present: boolean
  readonly note?: string
}

export interface Realised {
  readonly voxels: number
  readonly atHalf: number
  readonly atOptimum: number
  readonly thresholds: Float64Array
  readonly dice: Float64Array
  readonly calibration: Calibration
}

export interface Noise {
  /** Along each axis of the voxels. */
  readonly sigmaMm: Vec3
  readonly lengthMm: number
  readonly presence: number
  readonly biasMm: number
  readonly biasSdMm: number
}

export interface NoiseResult {
  readonly box: Box
  readonly marginal: Float32Array
  readonly optimum: SoftDiceOptimum
  readonly folded: number
  readonly ms: number
}

/** Where to look. */
export interface Sight {
  readonly voxel: Vec3
  readonly zoom: number
}

export interface Samples {
  readonly box: Box
  readonly samples: readonly LabelArray[]
}

export interface Voxels {
  readonly grid: Grid
  readonly data: VoxelArray
}

export interface Agreement {
  readonly observation: CaseObservation
  readonly fit?: AnnotatorFit
  readonly reason?: string
}

export interface Agreed {
  readonly rule: ConsensusRule
  readonly consensus: Consensus
}

export interface Download {
  readonly name: string
  readonly blob: Blob
}

export type { DiceCurve }
