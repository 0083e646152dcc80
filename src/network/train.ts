import { RunError } from '../volume/errors.ts'
import type { Checkpoint } from './checkpoint.ts'
import { type Device, sizeOf } from './graph/tensor.ts'
import { exportModel } from './model.ts'
import { learningRateAt } from './optimiser.ts'
import { initialParameters } from './parameters.ts'
import { createSession, type Session } from './runtime/session.ts'
import { threadsOfSameBytes } from './runtime/spare-threads.ts'
import { emptyState, Trainer } from './runtime/trainer.ts'
import type { StepPlan } from './train-step.ts'

export interface TrainingPlan extends StepPlan {
  readonly steps: number
  /** Steps of an epoch: after each, the net is validated, the log gets a line and `onCheckpoint` is called. */
  readonly stepsPerEpoch: number
  readonly seed: number
  /** Share of foreground voxels of each output, from which its bias starts. */
  readonly priors: readonly number[]
}

export interface TrainingOptions {
  /** Fills the arrays with the batch of a step. The same step must always give the same batch. */
  readonly fill: (step: number, image: Float32Array, target: Float32Array) => void
  /** Scores the model as it is on cases that are not trained on. */
  readonly validate?: (model: Session) => Promise<Validation>
  readonly onEpoch?: (epoch: EpochLog) => void
  readonly onStep?: (step: number) => void
  readonly signal?: AbortSignal
  /** Where an earlier run of the same plan and batches has stopped. */
  readonly from?: Checkpoint
  /** Called after each epoch, and where `signal` stops it, with all that a later run needs to go on. */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => Promise<void>
  readonly device?: Device
  readonly threads?: number
  /** So many threads may compute steps on the CPU, as far as that changes no byte of what comes out. */
  readonly spareThreads?: number
}

/** Mean Dice of each output on cases that are not trained on. */
export interface Validation {
  readonly validationDice: readonly number[]
  /** Cut at each case's own t*: shows whether a cross-entropy net learns where its Dice at ½ is small anyway. */
  readonly validationDiceAtCaseThreshold: readonly number[]
}

/** A line of the log. */
export interface EpochLog extends Partial<Validation> {
  readonly epoch: number
  readonly step: number
  /** Mean over the epoch's steps. */
  readonly loss: number
  readonly learningRate: number
  /** Largest of the epoch, before clipping. */
  readonly gradientNorm: number
  /** Wall-clock time of the epoch's training steps and of its validation. */
  readonly seconds: number
  readonly validationSeconds: number
  /** Share of `seconds` spent on preparing batches. */
  readonly dataShare: number
  /** Of the training steps, where more than asked for were spare. */
  readonly stepThreads?: number
}

export interface TrainedNetwork {
  readonly parameters: Float32Array
  readonly epochs: readonly EpochLog[]
}

/** For fewer steps than these a trial of spare threads takes longer than they save. */
const fewSteps = 50

/**
 * Trains a U-Net. What comes out depends on the plan, the batches, the runtime's version and its number of threads,
 * and on nothing else: a run that goes on from a checkpoint ends in the same numbers.
 *
 * @throws InputError where the device is missing or memory does not suffice
 * @throws RunError where loss, gradient or parameters are no longer finite
 */
export async function trainNetwork(plan: TrainingPlan, options: TrainingOptions): Promise<TrainedNetwork> {
  const {
    fill,
    validate,
    onEpoch,
    onStep,
    signal,
    from,
    onCheckpoint,
    device = 'cpu',
    threads,
    spareThreads = 0,
  } = options
  const runtime = { device, ...(threads === undefined ? {} : { threads }) }
  const log = [...(from?.log ?? [])]
  const epochs = log.map((line) => JSON.parse(line) as EpochLog)
  const start = initialParameters(plan.unet, plan.priors, plan.seed)
  const ofSteps =
    threads !== undefined && device === 'cpu' && plan.steps - (from?.step ?? 0) >= fewSteps
      ? await threadsOfSameBytes(plan, threads, spareThreads)
      : threads
  const begun = from?.state ?? { ...emptyState(start.length), parameters: start }
  const trainer = await Trainer.create(plan, begun, { ...runtime, ...(ofSteps && { threads: ofSteps }) })
  try {
    const image = new Float32Array(plan.batch * plan.unet.inputChannels * sizeOf(plan.patch))
    const target = new Float32Array(plan.batch * plan.unet.outputs * sizeOf(plan.patch))
    for (let step = from?.step ?? 0; step < plan.steps; ) {
      const end = Math.min(plan.steps, (Math.floor(step / plan.stepsPerEpoch) + 1) * plan.stepsPerEpoch)
      const before = step === from?.step ? from.unlogged : undefined
      let [losses, gradientNorm, dataMs] = [before?.losses ?? 0, before?.gradientNorm ?? 0, 0]
      const begin = performance.now()
      for (; step < end; step++) {
        if (signal?.aborted) {
          await onCheckpoint?.({ step, state: await trainer.state(), log, unlogged: { losses, gradientNorm } })
          throw signal.reason
        }
        const fillBegin = performance.now()
        fill(step, image, target)
        dataMs += performance.now() - fillBegin
        const result = await trainer.step(image, target, step, plan.steps)
        if (!Number.isFinite(result.loss) || !Number.isFinite(result.gradientNorm)) {
          throw divergence(step, result, image)
        }
        losses += result.loss
        gradientNorm = Math.max(gradientNorm, result.gradientNorm)
        onStep?.(step + 1)
      }
      const ms = performance.now() - begin
      // Before anything is kept: from a checkpoint of such parameters no run could go on.
      const state = await trainer.state()
      if (!state.parameters.every(Number.isFinite)) throw diverged(step, 'a parameter became NaN or infinite')
      const validation = validate && (await validated(plan, state.parameters, runtime, validate))
      const entry: EpochLog = {
        epoch: epochs.length + 1,
        step,
        loss: losses / (step - Math.floor((step - 1) / plan.stepsPerEpoch) * plan.stepsPerEpoch),
        ...validation,
        learningRate: learningRateAt(plan.optimiser, step - 1, plan.steps),
        gradientNorm,
        seconds: round(ms / 1000),
        validationSeconds: round((performance.now() - begin - ms) / 1000),
        dataShare: round(dataMs / ms),
        ...(ofSteps && ofSteps !== threads && { stepThreads: ofSteps }),
      }
      epochs.push(entry)
      log.push(JSON.stringify(entry))
      await onCheckpoint?.({ step, state, log })
      onEpoch?.(entry)
    }
    return { parameters: (await trainer.state()).parameters, epochs }
  } finally {
    await trainer.dispose()
  }
}

async function validated(
  { unet }: TrainingPlan,
  parameters: Float32Array,
  runtime: { device: Device; threads?: number },
  validate: (model: Session) => Promise<Validation>,
): Promise<Validation> {
  const session = await createSession(exportModel(unet, parameters, {}), runtime)
  try {
    return await validate(session)
  } finally {
    await session.dispose()
  }
}

function divergence(step: number, { loss, gradientNorm }: { loss: number; gradientNorm: number }, image: Float32Array) {
  const what = Number.isFinite(loss) ? `the gradient norm became ${gradientNorm}` : `the loss became ${loss}`
  if (image.every(Number.isFinite)) return diverged(step + 1, what)
  const fault = 'the batch holds NaN or infinite intensities; check the images'
  return new RunError('training', `${what} at step ${step + 1}: ${fault}`)
}

function diverged(step: number, what: string): RunError {
  const remedy = 'lower the learning rate (--learning-rate; learningRate in a study) or clip gradients more (--clip)'
  return new RunError('training', `${what} at step ${step}: training has diverged; ${remedy}`)
}

function round(x: number): number {
  return Number(x.toPrecision(4))
}
