import { randomStream } from '../../volume/random.ts'
import { defaultLoss } from '../losses.ts'
import { defaultOptimiser } from '../optimiser.ts'
import type { TrainingOptions, TrainingPlan } from '../train.ts'

/** A 2-D net that trains in no time. */
export const smallPlan: TrainingPlan = {
  unet: {
    dimensions: 2,
    inputChannels: 1,
    outputs: 1,
    channels: [4, 8],
    convolutions: 1,
    down: 'max-pool',
    up: 'transposed',
  },
  batch: 1,
  patch: [8, 8],
  loss: defaultLoss,
  optimiser: { ...defaultOptimiser, warmUp: 0, decay: 'constant' },
  steps: 4,
  stepsPerEpoch: 1,
  seed: 0,
  priors: [0.3],
}

/** Made-up batches, which can be learned. */
export const fillSmall: TrainingOptions['fill'] = (step, image, target) => {
  const random = randomStream(1, step)
  for (let i = 0; i < image.length; i++) image[i] = random.normal()
  for (let i = 0; i < target.length; i++) target[i] = image[i] > 0.5 ? 1 : 0
}
