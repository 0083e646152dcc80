import { expect, test } from 'vitest'
import { completeTraining, defaultTraining, parseFlip } from './training-defaults.ts'

test('what is not chosen follows from what is', () => {
  expect(completeTraining({ dimensions: 2, steps: 55 })).toMatchObject({ batch: 8, stepsPerEpoch: 6 })
  expect(completeTraining({ dimensions: 2, steps: 55 }).optimiser.warmUp).toBe(6)
  expect(completeTraining({ steps: 5000, optimiser: { clipNorm: 3 } }).optimiser).toMatchObject({
    warmUp: 20,
    clipNorm: 3,
    learningRate: 0.005,
  })
  expect(defaultTraining).toMatchObject({ dimensions: 3, batch: 2, steps: 1000, stepsPerEpoch: 100, convolutions: 2 })
})

test('nothing is mirrored unless asked for: labels may differ by side', () => {
  expect(defaultTraining.augmentation.flip).toEqual([false, false, false])
  expect(completeTraining({ flip: [true, false, true] }).augmentation.flip).toEqual([true, false, true])
  expect(completeTraining({ augment: false, flip: [true, true, true] }).augmentation.flip).toEqual([
    false,
    false,
    false,
  ])
  expect(parseFlip('ik')).toEqual([true, false, true])
  expect(parseFlip('none')).toEqual([false, false, false])
  expect(parseFlip('x')).toBeUndefined()
})
