import { expect, test } from 'vitest'
import { randomStream } from '../volume/random.ts'
import { sizeOf } from './graph/tensor.ts'
import { exportModel } from './model.ts'
import { decodeModel } from './onnx/decode.ts'
import { initialParameters } from './parameters.ts'
import { createSession } from './runtime/session.ts'
import { relativeDifference } from './testing/finite-differences.ts'
import { lossTwin } from './testing/unet-twin.ts'
import type { UNetPlan } from './unet.ts'

const plans: UNetPlan[] = (['max-pool', 'strided'] as const).flatMap((down) =>
  ([2, 3] as const).map((dimensions) => ({
    dimensions,
    inputChannels: 2,
    outputs: 3,
    channels: [4, 6, 8],
    convolutions: 1,
    down,
    up: down === 'strided' ? 'resize' : 'transposed',
  })),
)

test.each(plans)(
  'a $dimensions-D model with $down and $up runs at any size and batch, and keeps its metadata',
  async (plan) => {
    const parameters = initialParameters(plan, [0.1, 0.2, 0.3], 7)
    const bytes = exportModel(plan, parameters, { halfdice: '{"é": 1}', other: 'x' })
    const summary = decodeModel(bytes)
    expect(summary.metadata).toEqual({ halfdice: '{"é": 1}', other: 'x' })
    const axes = plan.dimensions === 2 ? ['height', 'width'] : ['depth', 'height', 'width']
    expect(summary.inputs).toEqual([{ name: 'image', shape: ['batch', 2, ...axes] }])
    expect(summary.outputs).toEqual([{ name: 'probability', shape: ['batch', 3, ...axes] }])

    const session = await createSession(bytes, { threads: 1 })
    const random = randomStream(1, 1)
    for (const [batch, size] of [
      [1, axes.map(() => 8)],
      [2, [12, 8, 4].slice(0, axes.length)],
    ] as const) {
      const shape = [batch, 2, ...size]
      const data = Float32Array.from({ length: sizeOf(shape) }, () => random.normal())
      const { probability } = await session.run({ image: { data, shape } })
      expect(probability.shape).toEqual([batch, 3, ...size])
      // The cross-entropy of the model's output with a target is the twin's.
      const target = Float64Array.from(probability.data, () => (random.uniform() < 0.5 ? 1 : 0))
      let entropy = 0
      for (const [i, p] of probability.data.entries()) entropy -= Math.log(target[i] === 1 ? p : 1 - p) / target.length
      const plain = { kind: 'cross-entropy', scope: 'case', smoothing: 1 } as const
      const image = { data: Float64Array.from(data), shape }
      const truth = { data: target, shape: probability.shape }
      expect(entropy).toBeCloseTo(lossTwin(plan, plain, image, truth, Float64Array.from(parameters)), 5)
    }
    await session.dispose()
  },
)

test('training starts at the class prior', async () => {
  const plan: UNetPlan = { ...plans[0], outputs: 1 }
  const session = await createSession(exportModel(plan, initialParameters(plan, [0.03], 0), {}), { threads: 1 })
  const random = randomStream(2, 2)
  const data = Float32Array.from({ length: 2 * 32 * 32 }, () => random.normal())
  const { probability } = await session.run({ image: { data, shape: [1, 2, 32, 32] } })
  const median = probability.data.slice().sort()[512]
  // Half of the voxels lie above the prior and half below; the spread of the random net is about one logit.
  expect(median).toBeGreaterThan(0.01)
  expect(median).toBeLessThan(0.09)
  await session.dispose()
})

test('damaged bytes are an error, not a wrong model', () => {
  const bytes = exportModel(plans[0], initialParameters(plans[0], [0.1, 0.1, 0.1], 0), { a: 'b' })
  expect(() => decodeModel(bytes.slice(0, bytes.length / 2))).toThrow()
  expect(() => decodeModel(new TextEncoder().encode('not a model at all'))).toThrow()
})

test('relative difference notices NaN', () => {
  expect(relativeDifference([Number.NaN], [1])).toBe(Number.POSITIVE_INFINITY)
})
