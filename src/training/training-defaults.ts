import { defaultLoss } from '../network/losses.ts'
import { defaultOptimiser, type OptimiserPlan } from '../network/optimiser.ts'
import { defaultAugmentation, noAugmentation } from './augment.ts'
import type { TrainingConfig } from './training-config.ts'

/** What a user may choose about a training; `completeTraining` fills in the rest, for every command alike. */
export interface TrainingChoices
  extends Partial<Omit<TrainingConfig, 'outputs' | 'loss' | 'seed' | 'optimiser' | 'augmentation'>> {
  readonly optimiser?: Partial<OptimiserPlan>
  /** Random changes of images; default true. */
  readonly augment?: boolean
  /** Axes along which images may be mirrored; default none, see defaultAugmentation. */
  readonly flip?: readonly [boolean, boolean, boolean]
}

/** The most convolutions of a level, and the most samples of a step, that can be asked for. */
export const mostConvolutions = 8
export const mostSamples = 4096

/** Steps where nothing is said about them. */
const defaultSteps = 1000

/**
 * A complete configuration but for outputs, loss and seed: what was not chosen takes its default. `train` and `study`
 * share these defaults; `trainSegmentation` checks the result.
 *
 * @example
 * completeTraining({ steps: 200 }).stepsPerEpoch // 20
 */
export function completeTraining(choices: TrainingChoices): Omit<TrainingConfig, 'outputs' | 'loss' | 'seed'> {
  const { optimiser, augment = true, flip = defaultAugmentation.flip, ...chosen } = choices
  const { dimensions = 3, steps = defaultSteps } = chosen
  return {
    dimensions,
    steps,
    // Ten points are enough for a curve, and a killed run loses a tenth at most.
    stepsPerEpoch: Math.ceil(steps / 10),
    batch: dimensions === 2 ? 8 : 2,
    channels: [16, 32, 64],
    convolutions: 2,
    down: 'max-pool',
    up: 'transposed',
    modality: 'mr',
    crop: 'none',
    ...chosen,
    optimiser: {
      ...defaultOptimiser,
      warmUp: Math.min(defaultOptimiser.warmUp, Math.ceil(steps / 10)),
      ...optimiser,
    },
    augmentation: augment ? { ...defaultAugmentation, flip } : noAugmentation,
  }
}

/**
 * A small 3-D U-Net with soft-Dice on MR; everything but the outputs.
 *
 * @example
 * defaultTraining.steps // 1000
 */
export const defaultTraining: Omit<TrainingConfig, 'outputs'> = {
  ...completeTraining({}),
  loss: defaultLoss,
  seed: 0,
}

/** The axes named in a text: `i`, `ij`, `none`; undefined where it names no axes. */
export function parseFlip(text: string): [boolean, boolean, boolean] | undefined {
  if (!/^(none|[ijk]+)$/.test(text)) return undefined
  const has = (axis: string) => text !== 'none' && text.includes(axis)
  return [has('i'), has('j'), has('k')]
}
