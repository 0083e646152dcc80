import { expect, test } from 'vitest'
import { compile } from '../graph/compile.ts'
import { gradients } from '../graph/gradients.ts'
import type { Tensor } from '../graph/tensor.ts'
import { encodeModel } from '../onnx/encode.ts'
import { trainTarget } from '../runtime/target.ts'
import {
  compareWithTwin,
  type DoubleArray,
  evaluate,
  randomNumbers,
  relativeDifference,
} from '../testing/finite-differences.ts'
import * as twin from '../testing/twins.ts'
import { add } from './add.ts'
import { broadcastTo, reduceSum } from './broadcast.ts'
import { concat, split } from './concat.ts'
import { scalar } from './constant.ts'
import { conv } from './conv.ts'
import { convDown, convUp } from './conv-halving.ts'
import { convWeightGradient } from './conv-weight-gradient.ts'
import { divide } from './divide.ts'
import { input } from './input.ts'
import { instanceNorm } from './instance-norm.ts'
import { maxPool } from './max-pool.ts'
import { multiply } from './multiply.ts'
import { negate } from './negate.ts'
import { reshape } from './reshape.ts'
import { sigmoid } from './sigmoid.ts'
import { softplus } from './softplus.ts'
import { sqrt } from './sqrt.ts'
import { subtract } from './subtract.ts'
import { blockSum, upsample } from './upsample.ts'

interface Case {
  readonly name: string
  readonly shapes: readonly (readonly number[])[]
  readonly build: (...inputs: Tensor[]) => Tensor
  readonly twin: (...inputs: DoubleArray[]) => Float64Array
}

const image2 = [2, 3, 4, 6]
const image3 = [2, 2, 4, 2, 6]
const convolve = (x: Tensor, w: Tensor) => conv([x], w)
const biasedConvUp = (x: DoubleArray, w: DoubleArray, bias: DoubleArray) => {
  const { data, shape } = twin.convUpTwin(x, w)
  const size = data.length / (shape[0] * shape[1])
  return data.map((v, i) => v + bias.data[Math.floor(i / size) % shape[1]])
}
const half = (a: number) => 0.5 * a + 2

const cases: Case[] = [
  {
    name: 'add',
    shapes: [
      [2, 3],
      [1, 3],
    ],
    build: add,
    twin: (a, b) => twin.zipTwin(a, b, (x, y) => x + y).data,
  },
  {
    name: 'subtract',
    shapes: [
      [2, 1],
      [2, 3],
    ],
    build: subtract,
    twin: (a, b) => twin.zipTwin(a, b, (x, y) => x - y).data,
  },
  {
    name: 'multiply',
    shapes: [
      [2, 1, 3],
      [1, 4, 1],
    ],
    build: multiply,
    twin: (a, b) => twin.zipTwin(a, b, (x, y) => x * y).data,
  },
  {
    name: 'divide',
    shapes: [
      [2, 3],
      [2, 1],
    ],
    build: (a, b) => divide(a, add(b, scalar(2))),
    twin: (a, b) => twin.zipTwin(a, b, (x, y) => x / (y + 2)).data,
  },
  { name: 'negate', shapes: [[5]], build: negate, twin: (a) => twin.mapTwin(a, (x) => -x).data },
  {
    name: 'sqrt',
    shapes: [[6]],
    build: (a) => sqrt(add(multiply(a, scalar(0.5)), scalar(2))),
    twin: (a) => twin.mapTwin(a, (x) => Math.sqrt(half(x))).data,
  },
  { name: 'sigmoid', shapes: [[7]], build: sigmoid, twin: (a) => twin.mapTwin(a, (x) => 1 / (1 + Math.exp(-x))).data },
  {
    name: 'softplus',
    shapes: [[7]],
    build: softplus,
    twin: (a) => twin.mapTwin(a, (x) => Math.log1p(Math.exp(x))).data,
  },
  { name: 'reshape', shapes: [[2, 6]], build: (a) => reshape(a, [3, 4]), twin: (a) => a.data },
  {
    name: 'reduceSum',
    shapes: [[2, 3]],
    build: (a) => reduceSum(a, [1]),
    twin: ({ data: [a, b, c, d, e, f] }) => Float64Array.of(a + b + c, d + e + f),
  },
  {
    name: 'broadcastTo',
    shapes: [[2, 1]],
    build: (a) => broadcastTo(a, [2, 2, 2]),
    twin: ({ data: [a, b] }) => Float64Array.of(a, a, b, b, a, a, b, b),
  },
  {
    name: 'split',
    shapes: [[2, 5]],
    build: (a) => concat(split(a, 1, [2, 1, 2]).toReversed(), 1),
    twin: ({ data: d }) => Float64Array.of(d[3], d[4], d[2], d[0], d[1], d[8], d[9], d[7], d[5], d[6]),
  },
  {
    name: 'split of which parts are used',
    shapes: [[4]],
    build: (a) => split(a, 0, [1, 2, 1])[1],
    twin: ({ data }) => Float64Array.of(data[1], data[2]),
  },
  {
    name: 'concat',
    shapes: [image2, image2],
    build: (a, b) => concat([a, b], 1),
    twin: (a, b) => twin.concatChannelsTwin(a, b).data,
  },
  {
    name: 'concat of many',
    shapes: [[1, 2]],
    build: (a) =>
      concat(
        Array.from({ length: 20 }, (_, i) => multiply(a, scalar(i))),
        1,
      ),
    twin: ({ data: [a, b] }) => Float64Array.from({ length: 40 }, (_, i) => Math.floor(i / 2) * (i % 2 === 0 ? a : b)),
  },
  { name: 'conv 3×3', shapes: [image2, [4, 3, 3, 3]], build: convolve, twin: (x, w) => twin.convTwin(x, w).data },
  {
    name: 'conv of few',
    shapes: [
      [2, 1, 4, 6],
      [4, 1, 3, 3],
    ],
    build: convolve,
    twin: (x, w) => twin.convTwin(x, w).data,
  },
  { name: 'conv of many', shapes: [image2, [2, 3, 3, 3]], build: convolve, twin: (x, w) => twin.convTwin(x, w).data },
  {
    name: 'conv of few, 3-D',
    shapes: [
      [2, 1, 2, 4, 6],
      [5, 1, 3, 3, 3],
    ],
    build: convolve,
    twin: (x, w) => twin.convTwin(x, w).data,
  },
  { name: 'conv 1×1', shapes: [image2, [4, 3, 1, 1]], build: convolve, twin: (x, w) => twin.convTwin(x, w).data },
  { name: 'conv 1×5', shapes: [image2, [2, 3, 1, 5]], build: convolve, twin: (x, w) => twin.convTwin(x, w).data },
  { name: 'conv 3×3×3', shapes: [image3, [3, 2, 3, 3, 3]], build: convolve, twin: (x, w) => twin.convTwin(x, w).data },
  { name: 'conv 1×3×3', shapes: [image3, [3, 2, 1, 3, 3]], build: convolve, twin: (x, w) => twin.convTwin(x, w).data },
  { name: 'conv 1×1×1', shapes: [image3, [3, 2, 1, 1, 1]], build: convolve, twin: (x, w) => twin.convTwin(x, w).data },
  {
    name: 'conv of parts',
    shapes: [image2, [2, 2, 4, 6], [3, 5, 3, 3]],
    build: (a, b, w) => conv([a, b], w),
    twin: (a, b, w) => twin.convTwin(twin.concatChannelsTwin(a, b), w).data,
  },
  {
    name: 'conv of parts, 3-D',
    shapes: [image3, [2, 1, 4, 2, 6], [2, 3, 3, 3, 3]],
    build: (a, b, w) => conv([a, b], w),
    twin: (a, b, w) => twin.convTwin(twin.concatChannelsTwin(a, b), w).data,
  },
  {
    name: 'convDown 2-D',
    shapes: [image2, [4, 3, 2, 2]],
    build: convDown,
    twin: (x, w) => twin.convDownTwin(x, w).data,
  },
  {
    name: 'convDown 3-D',
    shapes: [image3, [3, 2, 2, 2, 2]],
    build: convDown,
    twin: (x, w) => twin.convDownTwin(x, w).data,
  },
  { name: 'convUp 2-D', shapes: [image2, [3, 4, 2, 2], [4]], build: convUp, twin: biasedConvUp },
  { name: 'convUp 3-D', shapes: [image3, [2, 3, 2, 2, 2], [3]], build: convUp, twin: biasedConvUp },
  { name: 'maxPool 2-D', shapes: [image2], build: maxPool, twin: (x) => twin.maxPoolTwin(x).data },
  { name: 'maxPool 3-D', shapes: [image3], build: maxPool, twin: (x) => twin.maxPoolTwin(x).data },
  { name: 'upsample 2-D', shapes: [image2], build: upsample, twin: (x) => twin.upsampleTwin(x).data },
  { name: 'upsample 3-D', shapes: [image3], build: upsample, twin: (x) => twin.upsampleTwin(x).data },
  {
    name: 'blockSum',
    shapes: [[1, 1, 2, 4]],
    build: blockSum,
    twin: ({ data: d }) => Float64Array.of(d[0] + d[1] + d[4] + d[5], d[2] + d[3] + d[6] + d[7]),
  },
  {
    name: 'blockSum 3-D',
    shapes: [[1, 1, 2, 2, 4]],
    build: blockSum,
    twin: ({ data: d }) =>
      Float64Array.of(
        d[0] + d[1] + d[4] + d[5] + d[8] + d[9] + d[12] + d[13],
        d[2] + d[3] + d[6] + d[7] + d[10] + d[11] + d[14] + d[15],
      ),
  },
  {
    name: 'instanceNorm 2-D',
    shapes: [image2, [3], [3]],
    build: (x, s, b) => instanceNorm(x, s, b, 0.1),
    twin: (x, s, b) => twin.mapTwin(twin.instanceNormTwin(x, s, b), (v) => (v > 0 ? v : 0.1 * v)).data,
  },
  {
    name: 'instanceNorm 3-D',
    shapes: [image3, [2], [2]],
    build: (x, s, b) => instanceNorm(x, s, b, 0.1),
    twin: (x, s, b) => twin.mapTwin(twin.instanceNormTwin(x, s, b), (v) => (v > 0 ? v : 0.1 * v)).data,
  },
]

// Parts of the image's channels, output channels, sizes: blocks have 8 or 16 channels.
test.each([
  [[16], 32, [4, 6]],
  [[32, 16], 16, [4, 6]],
  [[16], 32, [4, 2, 6]],
  [[32], 16, [1, 3, 5]],
  [[16, 32], 32, [3, 2, 5]],
  [[16, 16], 16, [1, 1, 1]],
  [[16], 16, [2, 1, 7]],
  [[17], 16, [2, 2, 3]],
  [[16, 16], 16, [1, 5]],
  [[2], 16, [4, 2, 6]],
  [[1], 16, [4, 6]],
  [[3], 4, [4, 2, 6]],
] as const)('blocked channels give the same convolution: %j to %j, %j', async (channels, outputs, spatial) => {
  const kernel = spatial.map(() => 3)
  const shapes = [
    ...channels.map((n) => [2, n, ...spatial]),
    [outputs, channels.reduce((sum: number, n) => sum + n, 0), ...kernel],
  ]
  const inputs = shapes.map((shape) => input(shape))
  const output = conv(inputs.slice(0, -1), inputs[inputs.length - 1])
  const g = input(output.shape)
  const feeds = [...inputs, g].map((tensor, i) => ({ tensor, data: randomNumbers(tensor.shape, i + 1) }))
  const results = [output, ...gradients(reduceSum(multiply(output, g)), inputs)]
  const [value, ...found] = await evaluate(feeds, results, await trainTarget('cpu'))
  const arrays = feeds.map(({ tensor: { shape }, data }) => ({ data, shape }))
  const x = arrays.slice(0, channels.length).reduce(twin.concatChannelsTwin)
  expect(relativeDifference(value, twin.convTwin(x, arrays[channels.length]).data)).toBeLessThan(3e-6)
  // The plain formulation's gradients are compared with the twin's finite differences below.
  const [, ...plain] = await evaluate(feeds, results, { device: 'cpu', purpose: 'train' })
  for (const [i, gradient] of found.entries()) expect(relativeDifference(gradient, plain[i])).toBeLessThan(1e-5)
})

// What is computed in blocked channels against the plain operators, whose gradients are compared with twins below.
// Images of 256 pixels and more, and numbers of rows that the runtime would not take, are cut in pieces.
const twoConvs = (x: Tensor, v: Tensor, w: Tensor) => conv([conv([x], v)], w)
const sloping = (x: Tensor, s: Tensor, b: Tensor) => instanceNorm(x, s, b, 0.1)
test.each<[name: string, shapes: string, build: (...inputs: Tensor[]) => Tensor]>([
  ['instanceNorm', '3×32×6×5 32 32', sloping],
  ['instanceNorm 3-D', '2×16×3×4×5 16 16', sloping],
  ['instanceNorm of one voxel', '2×16×1×1 16 16', sloping],
  ['convDown', '3×16×4×6 32×16×2×2', convDown],
  ['convDown 3-D', '2×32×4×2×6 16×32×2×2×2', convDown],
  ['convDown of 17 cases', '17×16×4×4 16×16×2×2', convDown],
  ['convDown of a large image', '1×32×260×520 64×32×2×2', convDown],
  ['convUp', '2×32×3×5 32×16×2×2 16', convUp],
  ['convUp 3-D', '2×16×3×1×5 16×32×2×2×2 32', convUp],
  ['conv 1×1 to few', '2×32×3×5 3×32×1×1', convolve],
  ['conv 1×1 to more than a block', '2×16×3×5 20×16×1×1', convolve],
  ['conv 1×1 of few', '2×3×3×5 32×3×1×1', convolve],
  ['conv 1×1 of blocks to blocks', '2×32×3×5 48×32×1×1', convolve],
  ['conv 1×1×1', '2×16×2×3×5 32×16×1×1×1', convolve],
  ['conv 1×1 after conv', '2×16×4×6 32×16×3×3 2×32×1×1', twoConvs],
  ['conv 1×1 after conv, 21 rows', '3×16×7×6 16×16×3×3 2×16×1×1', twoConvs],
  ['conv 1×1×1 after conv', '2×1×4×4×6 16×1×3×3×3 5×16×1×1×1', twoConvs],
  ['maxPool after conv', '2×16×4×6 32×16×3×3', (x, w) => maxPool(conv([x], w))],
  ['maxPool after conv 3-D', '2×16×4×2×6 32×16×3×3×3', (x, w) => maxPool(conv([x], w))],
  ['add of blocked and plain', '2×16×4×6 16×16×3×3', (x, w) => add(conv([x], w), multiply(x, x))],
  ['plain after blocked', '1×16×4×6 32×16×3×3', (x, w) => multiply(conv([x], w), concat([x, x], 1))],
  ['conv in 3-D, planes of 320 pixels', '1×32×5×20×16 32×32×3×3×3', convolve],
  ['conv in 3-D, 32 planes', '2×16×16×18×16 16×16×3×3×3', convolve],
  ['conv of two large images', '2×32×132×128 32×32×3×3', convolve],
])('blocked channels give the same: %s', async (_, shapes, build) => {
  const inputs = shapes.split(' ').map((shape) => input(shape.split('×').map(Number)))
  const output = build(...inputs)
  const g = input(output.shape)
  const feeds = [...inputs, g].map((tensor, i) => ({ tensor, data: randomNumbers(tensor.shape, i + 1) }))
  const results = [output, ...gradients(reduceSum(multiply(output, g)), inputs)]
  const found = await evaluate(feeds, results, await trainTarget('cpu'))
  const plain = await evaluate(feeds, results, { device: 'cpu', purpose: 'train' })
  for (const [i, value] of found.entries()) expect(relativeDifference(value, plain[i])).toBeLessThan(1e-5)
})

// ONNX Runtime sums over an axis between others in another order where threads outnumber the axis before it.
test('the weight gradient of several blocks has the same bytes with any number of threads', async () => {
  const [x, w] = [input([8, 32, 24, 24]), input([32, 32, 3, 3])]
  const y = conv([x], w)
  const results = gradients(reduceSum(multiply(y, y)), [w])
  const feeds = [x, w].map((tensor, i) => ({ tensor, data: randomNumbers(tensor.shape, i + 1) }))
  const target = await trainTarget('cpu')
  const [one] = await evaluate(feeds, results, target, 1)
  for (const threads of [2, 3, 4]) expect(await evaluate(feeds, results, target, threads)).toEqual([one])
})

test.each(['cpu', 'webgpu'] as const)('the weight gradient of a very large volume can be written: %s', (device) => {
  const [x, g] = [input([2, 32, 160, 192, 160]), input([2, 32, 160, 192, 160])]
  const plan = { inputs: { x, g }, outputs: { w: convWeightGradient([x], g, [3, 3, 3]) } }
  const model = compile(plan, { device, purpose: 'train', ...(device === 'cpu' && { channelBlock: 16 }) })
  expect(encodeModel(model).length).toBeLessThan(1e7)
})

// Large enough to be cut in pieces. With y = conv(x, w), the gradient of ‖y‖²/2 along w is ‖y‖², as y is linear in w.
test.each([
  ['2-D', [1, 16, 250, 260], undefined],
  ['3-D', [1, 16, 21, 62, 66], undefined],
  ['2-D in slabs', [1, 16, 602, 1188], 'webgpu'],
  ['3-D in slabs', [1, 16, 27, 162, 162], 'webgpu'],
] as const)('the weight gradient of a large image, %s', async (_, shape, device) => {
  const [x, w] = [input(shape), input([16, 16, ...shape.slice(2).map(() => 3)])]
  const y = conv([x], w)
  const half = multiply(reduceSum(multiply(y, y)), scalar(0.5))
  const feeds = [x, w].map((tensor, i) => ({ tensor, data: randomNumbers(tensor.shape, i + 1) }))
  const target = device === undefined ? await trainTarget('cpu') : { device, purpose: 'train' as const }
  const [value, gradient] = await evaluate(feeds, [y, ...gradients(half, [w])], target)
  const squares = value.reduce((sum, v) => sum + v * v, 0)
  expect(gradient.reduce((sum, v, i) => sum + v * feeds[1].data[i], 0) / squares).toBeCloseTo(1, 5)
})

const targets = (['cpu', 'webgpu'] as const).map((device) => ({ device, purpose: 'train' as const }))
const casesOfTargets = targets.flatMap((target) =>
  cases.map((one) => [`${one.name} for ${target.device}`, one, target] as const),
)

test.each(casesOfTargets)('%s: value and gradients agree with the twin', async (_, one, target) => {
  const { shapes, build, twin: oracle } = one
  const { value, gradients } = await compareWithTwin(shapes, (...x) => build(...x), oracle, target)
  // float32 has 6·10⁻⁸; sums of up to a hundred terms and the variance's cancellation cost some digits.
  expect(value).toBeLessThan(3e-6)
  for (const gradient of gradients) expect(gradient).toBeLessThan(1e-5)
})

// What is lowered for a GPU in parts: sums of products over many voxels, more than one kernel can bind, odd sizes.
test.each<[name: string, shapes: string, build: (...inputs: Tensor[]) => Tensor]>([
  ['conv', '2×3×40×36 5×3×3×3', convolve],
  ['conv of many', '2×5×40×36 3×5×3×3', convolve],
  ['conv of a prime number of rows', '1×2×67×9 3×2×3×3', convolve],
  ['conv in 3-D', '2×2×10×12×14 4×2×3×3×3', convolve],
  ['conv of parts', '2×3×20×18 2×2×20×18 4×5×3×3', (a, b, w) => conv([a, b], w)],
  ['conv in 3-D whose neighbours come in two groups', '1×8×48×64×52 9×8×3×3×3', convolve],
  ['conv 1×1', '2×5×40×36 3×5×1×1', convolve],
  ['conv 3×1', '2×3×20×18 4×3×3×1', convolve],
  ['convDown', '2×3×40×36 5×3×2×2', convDown],
  ['convUp', '2×5×20×18 5×3×2×2 3', convUp],
  ['instanceNorm of long rows', '2×3×160×130 3 3', sloping],
])('lowered for WebGPU, the same: %s', async (_, shapes, build) => {
  const inputs = shapes.split(' ').map((shape) => input(shape.split('×').map(Number)))
  const output = build(...inputs)
  const g = input(output.shape)
  const feeds = [...inputs, g].map((tensor, i) => ({ tensor, data: randomNumbers(tensor.shape, i + 1) }))
  const results = [output, ...gradients(reduceSum(multiply(output, g)), inputs)]
  const [cpu, webgpu] = [await evaluate(feeds, results, targets[0]), await evaluate(feeds, results, targets[1])]
  for (const [i, value] of webgpu.entries()) expect(relativeDifference(value, cpu[i])).toBeLessThan(1e-5)
})

test.each([
  [[3, 5, 20_000], [2]],
  [
    [3, 5, 20_000],
    [0, 2],
  ],
  [
    [3, 5, 70, 300],
    [0, 2, 3],
  ],
  [[3, 5, 7], [0]],
  [[3, 5, 7], [1]],
  [
    [5, 3, 1, 20_011],
    [0, 1, 2, 3],
  ],
  [[2, 20_011], [1]],
  [[1], [0]],
])('sums for WebGPU: %j over %j', async (shape, axes) => {
  const x = input(shape)
  const data = randomNumbers(shape, 5)
  const expected = new Float64Array(shape.reduce((size, n, axis) => (axes.includes(axis) ? size : size * n), 1))
  for (const [i, value] of data.entries()) {
    const [at] = shape.reduceRight(
      ([at, size, rest], n, axis) =>
        axes.includes(axis)
          ? [at, size, Math.floor(rest / n)]
          : [at + (rest % n) * size, size * n, Math.floor(rest / n)],
      [0, 1, i],
    )
    expected[at] += value
  }
  const [found] = await evaluate([{ tensor: x, data }], [reduceSum(x, axes)], targets[1])
  expect(relativeDifference(found, expected)).toBeLessThan(1e-5)
})

test.each(targets)('a vector split in 60 parts and joined again, for $device', async (target) => {
  const sizes = Array.from({ length: 60 }, (_, i) => 1 + (i % 4))
  const x = input([150])
  const parts = split(x, 0, sizes)
  const data = Float64Array.from({ length: 150 }, (_, i) => i)
  const [joined, part] = await evaluate([{ tensor: x, data }], [concat(parts, 0), parts[59]], target)
  expect(joined).toEqual(Float32Array.from(data))
  expect(part).toEqual(Float32Array.of(146, 147, 148, 149))
})

test('maxPool shares the gradient among equal maxima', async () => {
  const x = input([1, 1, 2, 4])
  const loss = reduceSum(multiply(maxPool(x), scalar(6)), [0, 1, 2, 3])
  const feeds = [{ tensor: x, data: Float32Array.of(1, 1, 0, 2, 1, 0, 2, 2) }]
  const [gradient] = await evaluate(feeds, gradients(reshape(loss, []), [x]), await trainTarget('cpu'))
  expect([...gradient]).toEqual([2, 2, 0, 2, 2, 0, 2, 2])
})
