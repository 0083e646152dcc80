import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalCdf } from '../kernels/normal-cdf.ts'
import { createGrid, type Grid, type Vec3, voxelCount } from '../volume/grid.ts'
import { marginal, marginalInBox } from './marginal.ts'

/**
 * The formula of docs/theory.md, "Marginals in closed form" as it stands, the reference continued far beyond the grid.
 */
function bruteForce(labels: ArrayLike<number>, grid: Grid, label: number, sigmaMm: Vec3): Float64Array {
  const clamp = (v: number, n: number) => Math.max(0, Math.min(n - 1, v))
  const weight = (axis: number, offset: number) => {
    const scale = grid.spacing[axis] / sigmaMm[axis]
    if (sigmaMm[axis] === 0) return offset === 0 ? 1 : 0
    return normalCdf((offset + 0.5) * scale) - normalCdf((offset - 0.5) * scale)
  }
  const [nx, ny, nz] = grid.shape
  const out = new Float64Array(voxelCount(grid))
  const far = grid.shape.map((n, axis) => (n === 1 ? 0 : Math.ceil((9 * sigmaMm[axis]) / grid.spacing[axis]) + 1))
  for (let i = 0; i < out.length; i++) {
    const [x, y, z] = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / nx / ny)]
    for (let c = z - far[2]; c <= z + far[2]; c++) {
      for (let b = y - far[1]; b <= y + far[1]; b++) {
        for (let a = x - far[0]; a <= x + far[0]; a++) {
          const at = (clamp(c, nz) * ny + clamp(b, ny)) * nx + clamp(a, nx)
          if (labels[at] !== label) continue
          const w = (axis: number, offset: number) => (far[axis] === 0 ? 1 : weight(axis, offset))
          out[i] += w(0, a - x) * w(1, b - y) * w(2, c - z)
        }
      }
    }
  }
  return out
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]))
  return worst
}

test('equals the formula on random label maps of any shape, spacing and σ, borders included', () => {
  const side = fc.integer({ min: 1, max: 9 })
  const mm = fc.double({ min: 0.3, max: 3, noNaN: true })
  const sigma = fc.oneof(fc.constant(0), fc.double({ min: 0.05, max: 2, noNaN: true }))
  fc.assert(
    fc.property(
      fc.tuple(side, side, fc.integer({ min: 1, max: 4 })),
      fc.tuple(mm, mm, mm),
      fc.tuple(sigma, sigma, sigma).filter((s) => s.some((v) => v > 0)),
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1 }),
      fc.constantFrom(Uint8Array, Int32Array),
      (shape, spacing, sigmaMm, pattern, Type) => {
        const grid = createGrid(shape, spacing)
        const labels = new Type(voxelCount(grid)).map((_, i) => pattern[(i * 7919) % pattern.length])
        for (const label of [0, 1, 5]) {
          const expected = bruteForce(labels, grid, label, sigmaMm)
          expect(largestDifference(marginal(labels, grid, label, sigmaMm), expected)).toBeLessThan(1e-6)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('the classes of a map sum to one', () => {
  const grid = createGrid([40, 30, 20], [0.7, 1.1, 3])
  const labels = Uint8Array.from(
    { length: voxelCount(grid) },
    (_, i) => Math.floor((i % 40) / 9) + Math.floor(i / 6000),
  )
  const sum = new Float64Array(labels.length)
  for (const label of new Set(labels)) {
    const m = marginal(labels, grid, label, [2, 3, 4])
    for (let i = 0; i < m.length; i++) sum[i] += m[i]
  }
  expect(largestDifference(sum, new Float64Array(labels.length).fill(1))).toBeLessThan(2e-6)
})

const ballTitle =
  'a ball against its analytic marginal in the continuum limit (docs/theory.md, "Marginals in closed form")'
describe(ballTitle, () => {
  // This ball has 0.14 % fewer lattice points than its volume, which moves m by about 0.002 at σ = 1 mm.
  test.each([1, 2, 6])('σ = %f mm', (sigma) => {
    const radius = 8
    const spacing = 0.25
    const n = 2 * Math.ceil((radius + 1) / spacing) + 1
    const grid = createGrid([n, n, n], [spacing, spacing, spacing])
    const distance = Float64Array.from({ length: n ** 3 }, (_, i) => {
      const d = [i % n, Math.floor(i / n) % n, Math.floor(i / n / n)].map((v) => (v - (n - 1) / 2) * spacing)
      return Math.hypot(...d)
    })
    const m = marginal(
      Uint8Array.from(distance, (r) => (r <= radius ? 1 : 0)),
      grid,
      1,
      [sigma, sigma, sigma],
    )
    const phi = (t: number) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI)
    const shells = new Map<number, { n: number; sum: number }>()
    for (let i = 0; i < m.length; i++) {
      const r = distance[i]
      if (r === 0) continue
      const [plus, minus] = [(radius + r) / sigma, (radius - r) / sigma]
      const exact = normalCdf(plus) + normalCdf(minus) - 1 - (sigma / r) * (phi(minus) - phi(plus))
      const shell = shells.get(Math.round(r / spacing)) ?? { n: 0, sum: 0 }
      shells.set(Math.round(r / spacing), shell)
      shell.n++
      shell.sum += m[i] - exact
    }
    for (const { n: count, sum } of shells.values()) {
      if (count > 500) expect(Math.abs(sum / count)).toBeLessThan(0.003)
    }
  })
})

test('an organ of one voxel, and σ far below a voxel', () => {
  const grid = createGrid([21, 21, 21])
  const labels = new Uint8Array(21 ** 3)
  const at = (10 * 21 + 10) * 21 + 10
  labels[at] = 1
  const m = marginal(labels, grid, 1, [3, 3, 3])
  const p = normalCdf(0.5 / 3) - normalCdf(-0.5 / 3)
  expect(m[at]).toBeCloseTo(p ** 3, 7)
  expect(marginal(labels, grid, 1, [0.01, 0.01, 0.01])).toEqual(Float32Array.from(labels))
})

test('a class that is absent has probability 0, and no box', () => {
  const grid = createGrid([4, 4, 4])
  expect(marginal(new Uint8Array(64), grid, 3, [1, 1, 1])).toEqual(new Float32Array(64))
  expect(marginalInBox(new Uint8Array(64), grid, 3, [1, 1, 1])).toBeUndefined()
  const out = new Float32Array(64).fill(0.5)
  expect(marginal(new Uint8Array(64), grid, 3, [1, 1, 1], out)).toBe(out)
  expect(out).toEqual(new Float32Array(64))
  expect(() => marginal(new Uint8Array(64), grid, 3, [1, 1, 1], new Float32Array(63))).toThrow(
    'out: has 63 values for 64 voxels',
  )
  expect(marginal(new Uint8Array(64), grid, 0, [1, 1, 1])).toEqual(new Float32Array(64).fill(1))
})
