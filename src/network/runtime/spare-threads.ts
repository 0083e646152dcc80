import { randomStream } from '../../volume/random.ts'
import { sizeOf } from '../graph/tensor.ts'
import { initialParameters } from '../parameters.ts'
import type { StepPlan } from '../train-step.ts'
import { emptyState, Trainer, type TrainerState } from './trainer.ts'

/** The first moves every number; the second starts from the sums of the first. */
const trialSteps = 2

/**
 * The most threads, of `most` and the powers of two below it, with which training steps give the same bytes
 * as with `threads`; `threads` itself where none does. ONNX Runtime divides a product among its threads, and blocks its
 * sums by the size of a thread's share: some numbers round alike and others do not, which depends on the shapes and on
 * the processor. So it is tried, on numbers of no meaning: every step of a plan has the same shapes.
 */
export async function threadsOfSameBytes(plan: StepPlan, threads: number, most: number): Promise<number> {
  if (most <= threads) return threads
  const wanted = await trial(plan, threads)
  const powers = Array.from({ length: 8 }, (_, i) => 2 ** i).filter((n) => n < most)
  for (const more of [most, ...powers.reverse()].filter((n) => n > threads)) {
    if (sameBytes(await trial(plan, more), wanted)) return more
  }
  return threads
}

async function trial(plan: StepPlan, threads: number): Promise<TrainerState> {
  const random = randomStream('threads')
  const filled = (channels: number, value: () => number) =>
    Float32Array.from({ length: plan.batch * channels * sizeOf(plan.patch) }, value)
  const image = filled(plan.unet.inputChannels, () => random.normal())
  const target = filled(plan.unet.outputs, () => Number(random.uniform() < 0.5))
  const parameters = initialParameters(plan.unet, new Array<number>(plan.unet.outputs).fill(0.5), 0)
  const trainer = await Trainer.create(
    plan,
    { ...emptyState(parameters.length), parameters },
    { device: 'cpu', threads },
  )
  try {
    for (let step = 0; step < trialSteps; step++) await trainer.step(image, target, step, trialSteps)
    return await trainer.state()
  } finally {
    await trainer.dispose()
  }
}

function sameBytes(a: TrainerState, b: TrainerState): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength)
  return (Object.keys(a) as (keyof TrainerState)[]).every((key) => bytes(a[key]).equals(bytes(b[key])))
}
