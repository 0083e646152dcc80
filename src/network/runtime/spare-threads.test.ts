import { expect, test } from 'vitest'
import { fillSmall as fill, smallPlan } from '../testing/small-plan.ts'
import { type TrainingOptions, type TrainingPlan, trainNetwork } from '../train.ts'
import { threadsOfSameBytes } from './spare-threads.ts'

/** On Zen 3 and Zen 5, up to four threads give the bytes of one, and more do not. */
const plan: TrainingPlan = {
  ...smallPlan,
  unet: { ...smallPlan.unet, convolutions: 2 },
  batch: 4,
  patch: [24, 24],
  steps: 5,
  stepsPerEpoch: 5,
}
const trained = async (options: Partial<TrainingOptions>, more: Partial<TrainingPlan> = {}) => {
  const { parameters, epochs } = await trainNetwork({ ...plan, ...more }, { fill, ...options })
  return { bytes: Buffer.from(parameters.buffer), epochs }
}

test('threads are taken where training ends in the same bytes, and only there', { timeout: 120_000 }, async () => {
  const { bytes } = await trained({ threads: 1 })
  const alike = [1]
  for (let threads = 2; threads <= 8; threads++) {
    if ((await trained({ threads })).bytes.equals(bytes)) alike.push(threads)
  }
  for (let most = 2; most <= 8; most++) {
    const tried = [most, 4, 2, 1].filter((threads) => threads <= most)
    expect(await threadsOfSameBytes(plan, 1, most)).toBe(tried.find((threads) => alike.includes(threads)))
  }
})

test('spare threads change no byte of a network; its log says how many they were', { timeout: 120_000 }, async () => {
  const long = { steps: 60, stepsPerEpoch: 30 }
  const stepThreads = await threadsOfSameBytes(plan, 1, 2)
  const alone = await trained({ threads: 1 }, long)
  const shared = await trained({ threads: 1, spareThreads: 2 }, long)
  expect(shared.bytes.equals(alone.bytes)).toBe(true)
  expect(alone.epochs.map(({ stepThreads }) => stepThreads)).toEqual([undefined, undefined])
  expect(shared.epochs.map(({ stepThreads }) => stepThreads)).toEqual(
    stepThreads === 1 ? [undefined, undefined] : [2, 2],
  )
})
