import { beforeAll, describe, expect, test } from 'vitest'
import { sizeOf } from './graph/tensor.ts'
import type { LossPlan } from './losses.ts'
import { defaultOptimiser } from './optimiser.ts'
import { listParameters } from './parameters.ts'
import { relativeDifference } from './testing/finite-differences.ts'
import { arraysFor, runSteps } from './testing/steps.ts'
import { runTorch, type TorchRun, torchIsInstalled } from './testing/torch.ts'
import { lossTwin } from './testing/unet-twin.ts'
import type { StepPlan } from './train-step.ts'
import type { UNetPlan } from './unet.ts'

const small2: UNetPlan = {
  dimensions: 2,
  inputChannels: 2,
  outputs: 2,
  channels: [3, 4, 5],
  convolutions: 1,
  down: 'max-pool',
  up: 'transposed',
}
const optimiser = { ...defaultOptimiser, warmUp: 2 }
const ce: LossPlan = { kind: 'cross-entropy', scope: 'case', smoothing: 1 }
const plans: Record<string, StepPlan> = {
  '2-D, max-pool, transposed, cross-entropy': { unet: small2, batch: 2, patch: [8, 12], loss: ce, optimiser },
  '2-D, strided, resize, soft-Dice per case': {
    unet: { ...small2, down: 'strided', up: 'resize', convolutions: 2 },
    batch: 2,
    patch: [8, 12],
    loss: { kind: 'soft-dice', scope: 'case', smoothing: 1 },
    optimiser,
  },
  '3-D, max-pool, transposed, sum with soft-Dice per batch': {
    unet: { ...small2, dimensions: 3, channels: [2, 3] },
    batch: 2,
    patch: [4, 4, 6],
    loss: { kind: 'dice+cross-entropy', scope: 'batch', smoothing: 0.5 },
    optimiser,
  },
  '3-D, strided, resize, soft-Dice per batch': {
    unet: { ...small2, dimensions: 3, channels: [2, 3], down: 'strided', up: 'resize' },
    batch: 1,
    patch: [4, 4, 6],
    loss: { kind: 'soft-dice', scope: 'batch', smoothing: 1 },
    optimiser,
  },
}

test.each(Object.entries(plans))(
  '%s: loss and gradient agree with finite differences of a double-precision twin',
  async (_, plan) => {
    const arrays = arraysFor(plan, 11)
    const { losses, gradient } = await runSteps(plan, arrays, 1)
    const double = (data: Float32Array, channels: number) => ({
      data: Float64Array.from(data),
      shape: [plan.batch, channels, ...plan.patch],
    })
    const image = double(arrays.image, plan.unet.inputChannels)
    const target = double(arrays.target, plan.unet.outputs)
    const flat = Float64Array.from(arrays.parameters)
    const twin = () => lossTwin(plan.unet, plan.loss, image, target, flat)
    expect(Math.abs(losses[0] - twin())).toBeLessThan(1e-6)
    // Every 41st parameter, plus the first of each tensor: the twin is slow.
    const chosen = new Set<number>(Array.from({ length: Math.ceil(flat.length / 41) }, (_, i) => 41 * i))
    let offset = 0
    for (const { shape } of listParameters(plan.unet)) {
      chosen.add(offset)
      offset += sizeOf(shape)
    }
    let worst = 0
    const largest = gradient.reduce((max, g) => Math.max(max, Math.abs(g)), 0)
    for (const i of chosen) {
      const x = flat[i]
      // Small enough that leaky ReLU and max-pool rarely change sides within the step.
      const step = 1e-7
      flat[i] = x + step
      const above = twin()
      flat[i] = x - step
      const below = twin()
      flat[i] = x
      worst = Math.max(worst, Math.abs(gradient[i] - (above - below) / (2 * step)))
    }
    expect(worst / largest).toBeLessThan(1e-4)
  },
)

const losses: LossPlan[] = [
  ce,
  { kind: 'soft-dice', scope: 'case', smoothing: 1 },
  { kind: 'soft-dice', scope: 'batch', smoothing: 1 },
  { kind: 'dice+cross-entropy', scope: 'batch', smoothing: 0.5 },
]
// Adam's first steps are signs of the gradient: at a higher rate the round-off of small entries decides the losses.
const gentle = { ...optimiser, learningRate: 1e-3 }
/** Every kind of net, with channels below the runtime's block and with multiples of it (conv-formulations.ts). */
const compared: { readonly name: string; readonly plan: StepPlan }[] = [2, 3].flatMap((dimensions) =>
  [
    { channels: [3, 4, 5], convolutions: 1, inputChannels: 2, patch: [8, 4, 12] },
    { channels: [16, 32], convolutions: 2, inputChannels: 1, patch: [4, 6, 10] },
    { channels: [16, 16, 32], convolutions: 1, inputChannels: 16, patch: [4, 12, 8] },
  ].flatMap(({ patch, ...net }, size) =>
    (['max-pool', 'strided'] as const).flatMap((down, i) =>
      (['transposed', 'resize'] as const).map((up, j) => {
        const unet = { ...net, dimensions: dimensions === 2 ? 2 : 3, outputs: 2, down, up } as const
        const loss = losses[(size + 2 * i + j) % losses.length]
        const plan = { unet, batch: 2, patch: patch.slice(-dimensions), loss, optimiser: gentle }
        const name = `${dimensions}-D, ${net.channels} channels, ${down}, ${up}, ${loss.kind}`
        return { name, plan }
      }),
    ),
  ),
)

describe.skipIf(!torchIsInstalled)('double-precision PyTorch (python3-torch)', () => {
  const steps = 10
  // Where the input of a leaky ReLU lies within round-off of its kink, ours and theirs may take different sides,
  // which moves a gradient by far more than round-off does. With these seeds that happens nowhere: differences are
  // 10⁻⁶ of the largest entry, 2·10⁻⁵ at most. The tolerance is wider since other machines round otherwise.
  const seeds = [13, 14, 16]
  const runs = compared.map(({ plan }) => seeds.map((seed) => ({ plan, arrays: arraysFor(plan, seed) })))
  let torch: TorchRun[] = []
  beforeAll(() => {
    torch = runTorch(runs.flat(), steps)
  })

  test.each(compared.map(({ name }, i) => [name, i] as const))('agrees: %s', async (_, i) => {
    for (const [j, { plan, arrays }] of runs[i].entries()) {
      const ours = await runSteps(plan, arrays, steps)
      const theirs = torch[i * seeds.length + j]
      for (const [name, difference] of gradientDifferences(plan, ours.gradient, theirs.gradient)) {
        expect(difference, `seed ${seeds[j]}: ${name}`).toBeLessThan(2e-3)
      }
      for (const [step, loss] of ours.losses.entries()) {
        expect(Math.abs(loss - theirs.losses[step]), `seed ${seeds[j]}: step ${step}`).toBeLessThan(1e-4)
      }
    }
  })

  test('agrees where the gradient is clipped', async () => {
    // Adam's steps hardly depend on the gradient's scale, unless ε is as large as its entries.
    const clipping = { ...gentle, clipNorm: 0.05, epsilon: 1e-3 }
    const plan: StepPlan = { unet: small2, batch: 2, patch: [8, 12], loss: losses[3], optimiser: clipping }
    const arrays = arraysFor(plan, 11)
    const unclipped = { ...plan, optimiser: { ...clipping, clipNorm: Number.POSITIVE_INFINITY } }
    const runs = [plan, unclipped].map((plan) => ({ plan, arrays }))
    const [theirs, other] = runTorch(runs, steps)
    const ours = await runSteps(plan, arrays, steps)
    expect(theirs.norms.length).toBe(steps)
    for (const [step, norm] of theirs.norms.entries()) {
      expect(norm).toBeGreaterThan(2 * clipping.clipNorm)
      expect(Math.abs(ours.norms[step] / norm - 1)).toBeLessThan(1e-4)
      expect(Math.abs(ours.losses[step] - theirs.losses[step])).toBeLessThan(1e-4)
    }
    const change = (trained: ArrayLike<number>) => arrays.parameters.map((p, i) => trained[i] - p)
    expect(relativeDifference(change(ours.trained), change(theirs.trained))).toBeLessThan(1e-3)
    expect(relativeDifference(change(other.trained), change(theirs.trained))).toBeGreaterThan(0.1)
  })
})

/** For each parameter tensor, the largest difference over the largest entry. */
function gradientDifferences(plan: StepPlan, found: Float32Array, expected: Float64Array): [string, number][] {
  let offset = 0
  return listParameters(plan.unet).map(({ name, shape }) => {
    const range = [offset, (offset += sizeOf(shape))] as const
    return [name, relativeDifference(found.subarray(...range), expected.subarray(...range))]
  })
}
