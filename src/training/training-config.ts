import type { LossPlan } from '../network/losses.ts'
import type { OptimiserPlan } from '../network/optimiser.ts'
import type { UNetPlan } from '../network/unet.ts'
import type { Volume } from '../volume/volume.ts'
import type { Augmentation } from './augment.ts'
import type { OutputSpec } from './model-file.ts'
import type { Preprocessing } from './preprocess.ts'

/** An image with its label map, and what to call them in messages. */
export interface TrainingCase {
  readonly id: string
  readonly image: Volume
  readonly label: Volume
}

/**
 * A case, or a function that reads it: then the case is dropped as soon as the network's own copy of it is made. It may
 * be read more than once.
 */
export type CaseSource = TrainingCase | (() => Promise<TrainingCase>)

export async function readCase(source: CaseSource): Promise<TrainingCase> {
  return typeof source === 'function' ? source() : source
}

export interface TrainingConfig {
  /** 2: slices along k, one by one; 3: volumes. */
  readonly dimensions: 2 | 3
  readonly outputs: readonly OutputSpec[]
  readonly loss: LossPlan
  readonly optimiser: OptimiserPlan
  readonly steps: number
  readonly batch: number
  readonly seed: number
  /** Channels of the U-Net's levels, full size first. */
  readonly channels: readonly number[]
  readonly convolutions: number
  readonly down: UNetPlan['down']
  readonly up: UNetPlan['up']
  /** `ct`: one window of Hounsfield units for all cases; `mr`: every image brought to mean 0 and deviation 1. */
  readonly modality: 'ct' | 'mr'
  readonly crop: Preprocessing['crop']
  /** Spacing to resample to along (i, j, k), null to keep an axis; undefined: none is resampled. */
  readonly spacingMm?: readonly (number | null)[]
  /**
   * Patch along (i, j, k), rounded up to what the net's levels ask for; default: the median image, at most 64³
   * voxels.
   */
  readonly patch?: readonly number[]
  readonly augmentation: Augmentation
  /** Steps between two lines of the log (and checkpoints and validations). */
  readonly stepsPerEpoch: number
}
