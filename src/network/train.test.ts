import { expect, test } from 'vitest'
import { RunError } from '../volume/errors.ts'
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts'
import { fillSmall as fill, smallPlan as plan } from './testing/small-plan.ts'
import { type EpochLog, type TrainingOptions, trainNetwork } from './train.ts'

const remedy = /lower the learning rate \(--learning-rate;.*clip gradients more \(--clip\)/

test('parameters that overflow stop the run before a checkpoint keeps them', async () => {
  // The loss of the first step is that of the start: only its new parameters tell.
  const wild = { ...plan, optimiser: { ...plan.optimiser, learningRate: 1e39 } }
  let kept = 0
  const onCheckpoint = async () => {
    kept++
  }
  const run = trainNetwork(wild, { fill, onCheckpoint, threads: 1 })
  await expect(run).rejects.toThrow(RunError)
  await expect(run).rejects.toThrow(/^training: a parameter became NaN or infinite at step 1: training has diverged/)
  await expect(run).rejects.toThrow(remedy)
  expect(kept).toBe(0)
})

test('a gradient that overflows stops the run, and so do intensities that are no numbers', async () => {
  // 10²⁰ squared is beyond float32; the target is what no data give, so that the loss stays finite.
  const steep = { ...plan, loss: { ...plan.loss, kind: 'cross-entropy' } } as const
  const huge: TrainingOptions['fill'] = (step, image, target) => {
    fill(step, image, target)
    target.fill(1e25)
  }
  const overflow = trainNetwork(steep, { fill: huge, threads: 1 })
  await expect(overflow).rejects.toThrow(/^training: the gradient norm became Infinity at step 1: /)
  await expect(overflow).rejects.toThrow(remedy)
  const holed: TrainingOptions['fill'] = (step, image, target) => {
    fill(step, image, target)
    image[3] = Number.NaN
  }
  await expect(trainNetwork(plan, { fill: holed, threads: 1 })).rejects.toThrow(
    /^training: the loss became NaN at step 1: the batch holds NaN or infinite intensities; check the images/,
  )
})

test('a run that goes on from a checkpoint ends in the numbers of one that was not stopped', async () => {
  const kept: Checkpoint[] = []
  const onCheckpoint = async ({ step, state, log }: Checkpoint) => {
    const copy = { parameters: state.parameters.slice(), firstMoment: state.firstMoment.slice() }
    kept.push({ step, log: [...log], state: { ...copy, secondMoment: state.secondMoment.slice() } })
  }
  const whole = await trainNetwork(plan, { fill, onCheckpoint, threads: 1 })
  expect(kept.map(({ step }) => step)).toEqual([1, 2, 3, 4])
  const resumed = await trainNetwork(plan, { fill, from: kept[1], threads: 1 })
  expect(resumed.parameters).toEqual(whole.parameters)
  expect(resumed.epochs.map(({ loss }) => loss)).toEqual(whole.epochs.map(({ loss }) => loss))
})

test('stopped between two lines of the log, it goes on where it was, to the same log', async () => {
  const epochs = { ...plan, steps: 6, stepsPerEpoch: 3 }
  const whole = await trainNetwork(epochs, { fill, threads: 1 })
  for (const last of [1, 2, 4]) {
    const controller = new AbortController()
    const kept: Checkpoint[] = []
    const stopped = trainNetwork(epochs, {
      fill,
      threads: 1,
      signal: controller.signal,
      onStep: (step) => step === last && controller.abort(new Error('asked to end')),
      onCheckpoint: async (checkpoint) => {
        // As it is kept: by its bytes.
        const bytes = Buffer.concat(encodeCheckpoint('plan', checkpoint))
        kept.push(decodeCheckpoint(bytes, 'plan', 'checkpoint'))
      },
    })
    await expect(stopped).rejects.toThrow('asked to end')
    const from = kept.at(-1)
    expect(from?.step).toBe(last)
    expect(from?.unlogged?.losses).toBeGreaterThan(0)
    const resumed = await trainNetwork(epochs, { fill, threads: 1, ...(from && { from }) })
    expect(resumed.parameters).toEqual(whole.parameters)
    const numbers = (log: readonly EpochLog[]) => log.map(({ loss, gradientNorm, step }) => [step, loss, gradientNorm])
    expect(numbers(resumed.epochs)).toEqual(numbers(whole.epochs))
  }
})
