import {
  completeTraining,
  mostConvolutions,
  mostSamples,
  parseFlip,
  type TrainingChoices,
} from '../training/training-defaults.ts'
import type { ConfigReader } from './config-reader.ts'

/** The section `training` of a study's configuration; what it does not name takes the defaults that `train` has too. */
export function trainingOf(training: ConfigReader): ReturnType<typeof completeTraining> {
  const dimensions = training.choice('dimensions', ['2', '3'], '3') === '2' ? 2 : 3
  const steps = training.whole('steps', 1, 10_000_000)
  const flip = training.optional('flip', (key) => parseFlip(training.text(key)) ?? 'wrong')
  if (flip === 'wrong') throw training.fault('flip', 'names no axes; write i, ij or none')
  const patch = training.optional('patch', (key) => training.numbers(key, (n) => Number.isInteger(n) && n > 0))
  if (patch !== undefined && patch.length !== dimensions) {
    throw training.fault('patch', `has ${patch.length} numbers; give ${dimensions}, one an axis`)
  }
  const optimiser = {
    ...given(
      'learningRate',
      training.optional('learningRate', (key) => training.real(key, (x) => x > 0, 'above 0')),
    ),
    ...given(
      'decay',
      training.optional('decay', (key) => training.choice(key, decays)),
    ),
    ...given(
      'weightDecay',
      training.optional('weightDecay', (key) => training.real(key, (x) => x >= 0, 'from 0 on')),
    ),
  }
  const whole = (key: string, most: number) =>
    given(
      key,
      training.optional(key, (k) => training.whole(k, 1, most)),
    )
  const epochSteps = training.optional('epochSteps', (key) => training.whole(key, 1, 1_000_000))
  const choices: TrainingChoices = {
    dimensions,
    steps,
    ...given('stepsPerEpoch', epochSteps),
    ...whole('batch', mostSamples),
    channels: training.numbers('channels', (n) => Number.isInteger(n) && n > 0 && n <= 4096),
    ...whole('convolutions', mostConvolutions),
    ...given(
      'down',
      training.optional('down', (key) => training.choice(key, ['max-pool', 'strided'] as const)),
    ),
    ...given(
      'up',
      training.optional('up', (key) => training.choice(key, ['transposed', 'resize'] as const)),
    ),
    modality: training.choice('modality', ['ct', 'mr'] as const),
    ...given(
      'crop',
      training.optional('crop', (key) => training.choice(key, ['none', 'nonzero'] as const)),
    ),
    ...given('patch', patch),
    optimiser,
    ...given(
      'augment',
      training.optional('augment', (key) => training.flag(key, true)),
    ),
    ...given('flip', flip),
  }
  training.finish()
  return completeTraining(choices)
}

const decays = ['cosine', 'polynomial', 'constant'] as const

/** `{ [key]: value }`, or nothing where there is no value. */
function given<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: T })
}
