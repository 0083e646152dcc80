import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Arena, instantiate } from '../kernels/wasm/arena.ts'
import { wasmBase64 } from '../kernels/wasm/generated/field.ts'
import type { Box } from '../volume/box.ts'
import { createGrid, type Grid, type Vec3 } from '../volume/grid.ts'
import { designAxis } from './axis.ts'
import { allBlocks, type BlockTable, blockSize } from './blocks.ts'
import { sampleDisplacement } from './displacement.ts'
import { Field } from './field.ts'
import type { NoiseModel } from './model.ts'
import { createSampler } from './sampler.ts'

/** The field's components in the wanted blocks of a box, i fastest; NaN elsewhere. */
function fieldIn(field: Field, { shape }: Box, blocks: BlockTable, seed: number, sample: number): Float32Array[] {
  const [nx, ny, nz] = shape
  const eight = field.arena.reserve(32)
  const result = [0, 1, 2].map(() => new Float32Array(nx * ny * nz).fill(Number.NaN))
  const { at, rowStride, planeStride, componentStride, scale, taps } = field.blockRow
  field.begin(seed, sample)
  const view = field.arena.floats(eight, 8)
  for (const [s, rows] of blocks.entries()) {
    if (rows.every((row) => row.length === 0)) continue
    field.slab(s * blockSize)
    for (const [r, row] of rows.entries()) {
      if (row.length === 0) continue
      field.row(r * blockSize)
      for (const { x } of row) {
        for (let z = s * blockSize; z < Math.min(nz, (s + 1) * blockSize); z++) {
          for (let y = r * blockSize; y < Math.min(ny, (r + 1) * blockSize); y++) {
            for (let c = 0; c < 3; c++) {
              const row = at + c * componentStride + (z % 8) * planeStride + (y % 8) * rowStride
              field.kernels.expandRow(eight, row + field.blockOffset(x), scale, field.matrix(x), taps)
              for (let i = x; i < Math.min(nx, x + 8); i++) result[c][(z * ny + y) * nx + i] = view[i - x]
            }
          }
        }
      }
    }
  }
  return result
}

const { kernels, arena, at } = (() => {
  const arena = new Arena()
  const at = arena.reserve(16 * 8)
  return { arena, at, kernels: instantiate<{ normals(...args: number[]): void }>(wasmBase64, arena) }
})()

/** White noise at a node of the lattice (normals.test.ts shows what it is). */
function whiteNoise(node: readonly number[], component: number, sample: number, seed: number): number {
  const [x, y, z] = node
  kernels.normals(at, 1, Math.floor(x / 4), y, 4 * z + component, sample, seed, 0)
  return arena.floats(at, 16)[4 * (x - 4 * Math.floor(x / 4))]
}

/** A component of the field at a voxel, as axis.ts defines it, in double precision. */
function definition(
  grid: Grid,
  noise: NoiseModel,
  voxel: Vec3,
  component: number,
  seed: number,
  sample: number,
): number {
  const filters = voxel.map((v, a) => {
    const axis = designAxis(grid.shape[a], noise.lengthMm / grid.spacing[a])
    const nodes = new Map<number, number>()
    for (let t = 0; t < axis.support; t++) {
      for (let k = 0; k < axis.taps.length; k++) {
        const node = Math.floor(v / axis.stride) + axis.offset + t + k - axis.radius
        nodes.set(node, (nodes.get(node) ?? 0) + axis.weights[v * axis.support + t] * axis.taps[k])
      }
    }
    return [...nodes]
  })
  let sum = 0
  for (const [x, wx] of filters[0]) {
    for (const [y, wy] of filters[1]) {
      for (const [z, wz] of filters[2]) sum += wx * wy * wz * whiteNoise([x, y, z], component, sample, seed)
    }
  }
  return sum
}

describe('the field is its definition', () => {
  const settings: { name: string; shape: Vec3; spacing: Vec3; lengthMm: number }[] = [
    { name: 'white noise nearly', shape: [37, 21, 19], spacing: [1, 1, 1], lengthMm: 0.25 },
    { name: 'the lattice is the voxel grid', shape: [70, 33, 21], spacing: [1, 1, 1], lengthMm: 1.3 },
    { name: 'splines', shape: [70, 33, 21], spacing: [1, 1, 1], lengthMm: 2.7 },
    { name: 'splines along x and y, thick slices', shape: [45, 41, 12], spacing: [0.8, 0.8, 5], lengthMm: 4 },
    { name: 'splines along x alone', shape: [45, 20, 18], spacing: [0.5, 2, 2], lengthMm: 3 },
    { name: 'splines along y alone', shape: [20, 45, 18], spacing: [2, 0.5, 2], lengthMm: 3 },
    { name: 'splines along z alone', shape: [20, 18, 45], spacing: [2, 2, 0.5], lengthMm: 3 },
    { name: '2-D', shape: [50, 60, 1], spacing: [1, 1, 1], lengthMm: 2 },
    { name: 'a column', shape: [1, 1, 50], spacing: [1, 1, 1], lengthMm: 1 },
  ]
  test.each(settings)('$name', ({ shape, spacing, lengthMm }) => {
    const grid = createGrid(shape, spacing)
    const noise = { sigmaMm: [1, 1, 1] as const, lengthMm }
    const field = sampleDisplacement(grid, noise, 5, 2)
    let worst = 0
    for (let n = 0; n < 12; n++) {
      // Corners, and places spread over the grid.
      const voxel = shape.map((extent, a) => {
        return n < 8 ? ((n >> a) & 1) * (extent - 1) : (n * 7919 + a * 104729) % extent
      }) as unknown as Vec3
      const i = (voxel[2] * shape[1] + voxel[1]) * shape[0] + voxel[0]
      for (let c = 0; c < 3; c++) {
        const expected = shape[c] === 1 ? 0 : definition(grid, noise, voxel, c, 5, 2)
        worst = Math.max(worst, Math.abs(field[c][i] - expected))
      }
    }
    // float32 sums of up to 3·17 terms, each rounded to 6·10⁻⁸ of values up to 5.
    expect(worst).toBeLessThan(5e-6)
  })
})

test('whatever part is asked for, the values are the same bits', () => {
  const extent = (max: number) => fc.integer({ min: 1, max })
  fc.assert(
    fc.property(
      fc.tuple(extent(70), extent(60), extent(50)),
      fc.tuple(extent(30), extent(30), extent(20)),
      fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0.4, max: 3, noNaN: true }))),
      fc.double({ min: 0.3, max: 12, noNaN: true }),
      fc.constantFrom(0.05, 0.2, 0.5, 1),
      fc.nat(),
      (boxShape, margin, spacing, lengthMm, density, seed) => {
        const shape = boxShape.map((n, a) => n + margin[a]) as unknown as Vec3
        const grid = createGrid(shape, spacing as unknown as Vec3)
        const noise = { sigmaMm: [1, seed % 5 === 0 ? 0 : 1, 1] as const, lengthMm }
        const part = { start: margin.map((m) => m >> 1) as unknown as Vec3, shape: boxShape as Vec3 }
        let random = seed
        const blocks = allBlocks(part.shape).map((rows) =>
          rows.map((row) => row.filter(() => (random = (random * 16807 + 11) % 2147483647) / 2147483647 < density)),
        )
        const whole = { start: [0, 0, 0] as Vec3, shape }
        const all = allBlocks(shape)
        const expected = fieldIn(new Field(grid, noise, whole, all), whole, all, seed, 1)
        const field = new Field(grid, noise, part, blocks)
        fieldIn(field, part, blocks, seed, 0) // what another sample left in memory does not count
        const found = fieldIn(field, part, blocks, seed, 1)
        for (let c = 0; c < 3; c++) {
          for (let i = 0; i < found[c].length; i++) {
            if (Number.isNaN(found[c][i])) continue
            const [x, y] = [i % boxShape[0], Math.floor(i / boxShape[0]) % boxShape[1]]
            const z = Math.floor(i / (boxShape[0] * boxShape[1]))
            const at = ((z + part.start[2]) * shape[1] + y + part.start[1]) * shape[0] + x + part.start[0]
            if (!Object.is(found[c][i], expected[c][at])) expect.fail(`component ${c}, voxel ${i}`)
          }
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('another version draws the same labels (docs/reproducibility.md)', () => {
  const digest = (shape: Vec3, spacing: Vec3, sigmaMm: Vec3, lengthMm: number) => {
    const centre = shape.map((n) => 0.45 * n)
    const labels = Uint8Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, n) => {
      const [i, j, k] = [n % shape[0], Math.floor(n / shape[0]) % shape[1], Math.floor(n / shape[0] / shape[1])]
      const r = Math.hypot((i - centre[0]) * spacing[0], (j - centre[1]) * spacing[1], (k - centre[2]) * spacing[2])
      return r < 6 ? 2 : Number(r < 12)
    })
    const sampler = createSampler(labels, createGrid(shape, spacing), { sigmaMm, lengthMm })
    const hash = createHash('sha256')
    for (const index of [0, 7]) hash.update(sampler.sample(11, index))
    return hash.digest('hex').slice(0, 12)
  }
  const isotropic = [0.4, 1, 1.5, 2, 2.4, 2.6, 4, 7, 30].map((l) => digest([45, 38, 33], [1, 1, 1], [2, 2, 2], l))
  const thick = [1, 2, 4, 12].map((l) => digest([60, 50, 9], [0.8, 0.7, 5], [2, 1, 3], l))
  const flat = [0.7, 3].map((l) => digest([64, 48, 1], [1, 1, 1], [3, 3, 3], l))
  expect({ isotropic, thick, flat }).toEqual({
    isotropic: [
      '9496e939eff9',
      '48797732f160',
      '726b43d06717',
      '576d39d9fc3f',
      'b79b83c913c8',
      'c167a436ba51',
      'eb3e587bfc6f',
      'dabbb581bc47',
      '4966bdaabc79',
    ],
    thick: ['32d65665392b', '1ef43bcfd1cf', '3065f5f4da6e', 'ac33d8c28926'],
    flat: ['cf88f5cd3b88', 'c505ade99c34'],
  })
})
