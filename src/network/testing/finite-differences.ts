import { compile } from '../graph/compile.ts'
import { gradients } from '../graph/gradients.ts'
import { sizeOf, type Target, type Tensor } from '../graph/tensor.ts'
import { encodeModel } from '../onnx/encode.ts'
import { reduceSum } from '../ops/broadcast.ts'
import { input } from '../ops/input.ts'
import { multiply } from '../ops/multiply.ts'
import { createSession, type NdArray } from '../runtime/session.ts'

export interface DoubleArray {
  readonly data: Float64Array
  readonly shape: readonly number[]
}

/** Deterministic numbers in [−1, 1), none of them equal in practice (Park–Miller generator). */
export function randomNumbers(shape: readonly number[], seed: number): Float64Array {
  let state = (seed * 7919 + 12345) % 2147483647
  return Float64Array.from({ length: sizeOf(shape) }, () => {
    state = (state * 16807) % 2147483647
    // Values are rounded to float32, so that the engine and its twin start from the same numbers.
    return Math.fround((2 * state) / 2147483647 - 1)
  })
}

/** Runs graph outputs once on the given inputs: on the CPU, which also takes what is lowered for other devices. */
export async function evaluate(
  inputs: readonly { readonly tensor: Tensor; readonly data: ArrayLike<number> }[],
  outputs: readonly Tensor[],
  target: Target = { device: 'cpu', purpose: 'train' },
  threads = 2,
): Promise<Float32Array[]> {
  const feeds: Record<string, NdArray> = {}
  for (const [i, { tensor, data }] of inputs.entries()) {
    feeds[`x${i}`] = { data: Float32Array.from(data), shape: tensor.shape }
  }
  const model = compile(
    {
      inputs: Object.fromEntries(inputs.map(({ tensor }, i) => [`x${i}`, tensor])),
      outputs: Object.fromEntries(outputs.map((tensor, i) => [`y${i}`, tensor])),
    },
    target,
  )
  const session = await createSession(encodeModel(model), { threads })
  const results = await session.run(feeds)
  await session.dispose()
  return outputs.map((_, i) => results[`y${i}`].data)
}

export interface Comparison {
  /** Largest difference of the values, over the largest value. */
  readonly value: number
  /** The same for the gradient of each input. */
  readonly gradients: readonly number[]
}

/**
 * Compares an operator with its twin: the values, and the gradients of Σ r·f(x) for random r with central differences
 * of the twin's double-precision values.
 */
export async function compareWithTwin(
  shapes: readonly (readonly number[])[],
  build: (...inputs: Tensor[]) => Tensor,
  twin: (...inputs: DoubleArray[]) => Float64Array,
  target: Target = { device: 'cpu', purpose: 'train' },
): Promise<Comparison> {
  const arrays = shapes.map((shape, i) => ({ data: randomNumbers(shape, i + 1), shape }))
  const inputs = shapes.map((shape) => input(shape))
  const output = build(...inputs)
  const weights = randomNumbers(output.shape, 99)
  const r = input(output.shape)
  const derivative = gradients(reduceSum(multiply(output, r)), inputs)
  const feeds = [...inputs.map((tensor, i) => ({ tensor, data: arrays[i].data })), { tensor: r, data: weights }]
  const [value, ...found] = await evaluate(feeds, [output, ...derivative], target)
  const loss = () => twin(...arrays).reduce((sum, y, i) => sum + y * weights[i], 0)
  const expected = arrays.map(({ data }) => centralDifferences(loss, data))
  return {
    value: relativeDifference(value, twin(...arrays)),
    gradients: found.map((gradient, i) => relativeDifference(gradient, expected[i])),
  }
}

/** The step 10⁻⁵ leaves errors of about 10⁻¹⁰ in double precision, far below float32's. */
export function centralDifferences(loss: () => number, data: Float64Array, step = 1e-5): Float64Array {
  return data.map((x, i) => {
    data[i] = x + step
    const above = loss()
    data[i] = x - step
    const below = loss()
    data[i] = x
    return (above - below) / (2 * step)
  })
}

/** max |a − b| / max |b|. */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let [difference, largest] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    difference = Math.max(difference, Number.isNaN(a[i]) ? Number.POSITIVE_INFINITY : Math.abs(a[i] - b[i]))
    largest = Math.max(largest, Math.abs(b[i]))
  }
  return largest === 0 ? difference : difference / largest
}
